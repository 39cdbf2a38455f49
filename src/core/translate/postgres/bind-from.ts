/** Binds FROM: tables, joins, subqueries and functions, each an entry of the scope. */
import type { Fragment } from '../fragment.ts';
import { sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { JoinExpr, Node, RangeFunction, RangeVar } from 'libpg-query';
import type { Binder } from './bind.ts';
import type { JoinCondition } from './keys.ts';
import { UNKNOWN_SHAPE, findCte, renamed } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import { children, functionPath, names, relationName } from './tree.ts';
import { refuse } from '../refusals.ts';

/** Binds FROM into a scope; gives the conditions of its joins. */
export function bindFrom(binder: Binder, nodes: readonly Node[], scope: Scope): JoinCondition[] {
  return nodes.flatMap((node) => fromItem(binder, node, scope));
}

function fromItem(binder: Binder, node: Node, scope: Scope): JoinCondition[] {
  if ('RangeVar' in node) {
    scope.items.push(rangeVar(binder, node.RangeVar, scope));
  } else if ('JoinExpr' in node) {
    return join(binder, node.JoinExpr, scope);
  } else if ('RangeSubselect' in node) {
    const { subquery, alias, lateral } = node.RangeSubselect;
    if (!subquery || !('SelectStmt' in subquery)) return [];
    const shape = binder.query(subquery.SelectStmt, lateral ? scope : withoutItems(scope));
    const name = alias?.aliasname ?? '';
    scope.items.push({
      ...renamed(shape, names(alias?.colnames)),
      alias: name,
      version: null,
      schema: null,
    });
  } else if ('RangeFunction' in node) {
    rangeFunction(binder, node.RangeFunction, scope);
  } else if ('RangeTableSample' in node) {
    refuse(
      'volatile',
      binder.place(binder.source.index(node.RangeTableSample.location)),
      'TABLESAMPLE takes other rows at each run.',
    );
  } else {
    binder.children(node, scope);
    scope.items.push({ ...UNKNOWN_SHAPE, alias: aliasOf(node), version: null, schema: null });
  }
  return [];
}

function join(binder: Binder, join: JoinExpr, scope: Scope): JoinCondition[] {
  const start = scope.items.length;
  const conditions = [...(join.larg ? fromItem(binder, join.larg, scope) : [])];
  const middle = scope.items.length;
  if (join.rarg) conditions.push(...fromItem(binder, join.rarg, scope));
  const left = scope.items.slice(start, middle);
  const right = scope.items.slice(middle);
  const onlyFor =
    join.jointype === 'JOIN_INNER' ? null : new Set(join.jointype === 'JOIN_LEFT' ? right : []);
  if (join.quals) {
    binder.expression(join.quals, scope);
    conditions.push({ node: join.quals, onlyFor });
  }
  for (const column of names(join.usingClause)) {
    const leftItem = left.find((item) => item.columns?.some((c) => c.name === column));
    const rightItem = right.find((item) => item.columns?.some((c) => c.name === column));
    if (leftItem && rightItem)
      conditions.push({ node: equality(leftItem.alias, rightItem.alias, column), onlyFor });
  }
  return conditions;
}

/** Binds a table in FROM: a CTE stays, a table becomes its current version. */
function rangeVar(binder: Binder, range: RangeVar, scope: Scope | null): RangeItem {
  const name = relationName(range);
  const aliasName = range.alias?.aliasname ?? name.name;
  const head = names(range.alias?.colnames);
  const cte = name.schema === null ? findCte(scope, name.name) : null;
  if (cte) return { ...renamed(cte, head), alias: aliasName, version: null, schema: null };
  const start = binder.source.index(range.location);
  const end = binder.source.endOfName(start, name.schema === null ? 1 : 2);
  const version = binder.environment.relation(name);
  if (!version) {
    const shown = name.schema === null ? name.name : `${name.schema}.${name.name}`;
    refuse(
      'unknown-relation',
      binder.place(start, end - start),
      `There is no table or view ${shown}.`,
    );
  }
  binder.reads.push(version);
  if (!range.inh)
    refuse(
      'shared-rows',
      binder.place(start, end - start),
      'ONLY leaves out the rows of other tables that inherit from this one.',
    );
  const alias = range.alias ? null : identifier(name.name);
  const read: Fragment = [{ kind: 'version', version, alias }];
  const before = binder.source.tokens[binder.source.tokenAt(start) - 1];
  // The command `TABLE t` takes no alias.
  if (before?.keyword === 'TABLE')
    binder.source.edit(before.start, end, sql`select * from ${read}`);
  else binder.source.edit(start, end, read);
  const shape = { columns: version.columns, keys: version.keys, rowNumbers: [] };
  return { ...renamed(shape, head), alias: aliasName, version, schema: name.schema };
}

function rangeFunction(binder: Binder, range: RangeFunction, scope: Scope): void {
  const first = range.functions?.[0];
  const call = first && 'List' in first ? first.List.items?.[0] : undefined;
  for (const node of range.functions ?? []) binder.expression(node, scope);
  for (const node of range.coldeflist ?? []) binder.children(node, scope);
  const functionName = call && 'FuncCall' in call ? (functionPath(call.FuncCall).at(-1) ?? '') : '';
  const alias = range.alias?.aliasname ?? functionName;
  const head = names(range.alias?.colnames);
  const scalar = [
    'generate_series',
    'unnest',
    'regexp_split_to_table',
    'string_to_table',
    'jsonb_array_elements',
    'json_array_elements',
    'jsonb_array_elements_text',
    'generate_subscripts',
  ];
  const columns =
    head.length > 0
      ? head.map((name) => ({ name, type: null }))
      : scalar.includes(functionName) && !range.ordinality
        ? [
            {
              name: functionName.includes('_elements')
                ? (range.alias?.aliasname ?? 'value')
                : alias,
              type: null,
            },
          ]
        : null;
  scope.items.push({ ...UNKNOWN_SHAPE, columns, alias, version: null, schema: null });
}

function withoutItems(scope: Scope): Scope {
  // A subquery that is not LATERAL sees the CTEs around it, but not its neighbours in FROM.
  return { parent: scope.parent, items: [], ctes: scope.ctes };
}

function aliasOf(node: object): string {
  const alias = children(node).find((child) => 'aliasname' in child);
  return alias && 'aliasname' in alias && typeof alias.aliasname === 'string'
    ? alias.aliasname
    : '';
}

function equality(left: string, right: string, column: string): Node {
  const reference = (alias: string): Node => ({
    ColumnRef: { fields: [{ String: { sval: alias } }, { String: { sval: column } }] },
  });
  return {
    A_Expr: {
      kind: 'AEXPR_OP',
      name: [{ String: { sval: '=' } }],
      lexpr: reference(left),
      rexpr: reference(right),
    },
  };
}
