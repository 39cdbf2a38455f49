/** Binds INSERT, with DEFAULT in VALUES and with ON CONFLICT. */
import type { BoundInsert, Conflict } from '../bound.ts';
import { text } from '../fragment.ts';
import type { InsertStmt, Node, SelectStmt } from 'libpg-query';
import { bindSet } from './assignments.ts';
import { between, findClauses } from './clauses.ts';
import type { WriteTarget } from './environment.ts';
import { canonicalExpression } from './index-expression.ts';
import { bindQuery } from './query.ts';
import type { RangeItem } from './scope.ts';
import { relationName } from './tree.ts';
import { bindReturning, common, itemOf, slice, targetScope } from './write-context.ts';
import type { WriteContext } from './write-context.ts';
import { refuse } from '../refusals.ts';

export function bindInsert(statement: InsertStmt, context: WriteContext): BoundInsert {
  const { source, environment } = context;
  const range = statement.relation ?? {};
  const name = relationName(range);
  const alias = range.alias?.aliasname ?? name.name;
  const at = common(context);
  const target = environment.target(name, alias, at.place, 'add');
  const columns = statement.cols
    ? statement.cols.map((node) => ('ResTarget' in node ? (node.ResTarget.name ?? '') : ''))
    : null;
  const clauses = findClauses(source, context.firstToken, ['ON CONFLICT', 'RETURNING']);
  const conflictAt = clauses.find((clause) => clause.keyword === 'ON CONFLICT')?.token;
  const returningAt = clauses.find((clause) => clause.keyword === 'RETURNING')?.token;
  const select =
    statement.selectStmt && 'SelectStmt' in statement.selectStmt
      ? statement.selectStmt.SelectStmt
      : null;
  const given = columns ?? (target.version.columns ?? []).map((column) => column.name);
  const defaulted = select ? bindDefaults(select, given, target, context) : [];
  const query = select
    ? bindQuery(select, context, queryStart(statement, context), conflictAt ?? returningAt)
    : null;
  const item = itemOf(target, alias, name.schema);
  return {
    ...at,
    kind: 'insert',
    table: target.table,
    columns,
    defaulted,
    query,
    conflict: statement.onConflictClause
      ? bindConflict(statement, item, context, conflictAt ?? 0, returningAt)
      : null,
    returning: bindReturning(statement.returningClause?.exprs, item, context, returningAt),
  };
}

/** Index of the text where the query of an INSERT starts. */
function queryStart(statement: InsertStmt, context: WriteContext): number {
  const { source } = context;
  const range = statement.relation ?? {};
  const start = source.index(range.location);
  let at = source.tokenAt(start) + (range.schemaname === undefined ? 1 : 3);
  if (range.alias) at += source.tokens[at]?.text.toUpperCase() === 'AS' ? 2 : 1;
  if (statement.cols) {
    const end = source.endOfBrackets(source.tokens[at]?.start ?? 0);
    at = source.tokens.findIndex((token) => token.start >= end);
  }
  if (source.tokens[at]?.text.toUpperCase() === 'OVERRIDING') at += 3;
  return source.tokens[at]?.start ?? 0;
}

/** Replaces DEFAULT inside VALUES; gives the columns for which every row says DEFAULT. */
function bindDefaults(
  select: SelectStmt,
  columns: readonly string[],
  target: WriteTarget,
  context: WriteContext,
): readonly string[] {
  const { source, environment, binder } = context;
  const rows = (select.valuesLists ?? []).map((row) =>
    'List' in row ? (row.List.items ?? []) : [],
  );
  const isDefault = (row: readonly Node[], index: number): boolean => {
    const item = row[index];
    return item !== undefined && 'SetToDefault' in item;
  };
  const defaulted = columns.filter(
    (_column, index) => rows.length > 0 && rows.every((row) => isDefault(row, index)),
  );
  for (const row of rows) {
    for (const [index, item] of row.entries()) {
      if (!('SetToDefault' in item)) continue;
      const start = source.index(item.SetToDefault.location);
      const column = columns[index] ?? '';
      const value = defaulted.includes(column) ? null : environment.defaultOf(target.table, column);
      if (value === 'sequence')
        refuse(
          'sequence',
          binder.place(start),
          `Some rows give ${column} a value and some leave it to its sequence.`,
        );
      source.edit(start, start + 'DEFAULT'.length, value ?? text('null'));
    }
  }
  return defaulted;
}

function bindConflict(
  statement: InsertStmt,
  item: RangeItem,
  context: WriteContext,
  conflictAt: number,
  returningAt: number | undefined,
): Conflict {
  const { source, binder } = context;
  const clause = statement.onConflictClause ?? {};
  const infer = clause.infer;
  const elements = infer?.indexElems?.flatMap((node) =>
    'IndexElem' in node ? [node.IndexElem] : [],
  );
  const target = {
    target: elements
      ? {
          columns: elements.flatMap(({ name }) => name ?? []),
          expressions: elements.flatMap(({ expr }) => (expr ? [canonicalExpression(expr)] : [])),
          partial: infer?.whereClause !== undefined,
        }
      : null,
    constraint: infer?.conname ?? null,
  };
  if (clause.action !== 'ONCONFLICT_UPDATE') return { ...target, action: { kind: 'nothing' } };
  const excluded: RangeItem = { ...item, alias: 'excluded', version: null };
  const scope = targetScope(context, [item, excluded]);
  for (const node of clause.targetList ?? []) binder.expression(node, scope);
  if (clause.whereClause) binder.expression(clause.whereClause, scope);
  const starts = findClauses(source, conflictAt, ['DO UPDATE SET', 'WHERE']);
  const setAt = starts.find((start) => start.keyword === 'DO UPDATE SET')?.token ?? conflictAt;
  const whereAt = starts.find((start) => start.keyword === 'WHERE' && start.token > setAt)?.token;
  const set = bindSet(
    clause.targetList ?? [],
    scope,
    context,
    between(source, setAt + 2, whereAt ?? returningAt),
  );
  const where = whereAt === undefined ? null : slice(source, between(source, whereAt, returningAt));
  return { ...target, action: { kind: 'update', set, where } };
}
