/** UPDATE: each row as it was, or with its new values where the condition holds. */
import type { BoundUpdate } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { from, sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { ShapeColumn, ShapeKey } from '../table.ts';
import { identifyingKey } from '../table.ts';
import type { Version } from '../version.ts';
import type { RuleContext, WriteResult } from './context.ts';
import {
  assignments,
  columnOf,
  columnsOf,
  selectList,
  tableVersion,
  withGenerated,
} from './context.ts';
import { identifiedRows, keyColumns, keyNames, onKeyNames } from './identify.ts';
import { returnedBeside } from './returning.ts';
import { shown, withComments } from './rows.ts';

type Values = ReadonlyMap<string, Fragment>;

export function update(statement: BoundUpdate, context: RuleContext): WriteResult {
  const columns = columnsOf(context, statement.place);
  const values = assignments(statement.set, columns, statement.place);
  if (statement.from === null && !statement.prefix)
    return updateAlone(statement, context, columns, values);
  if (statement.singleMatch) return updateFrom(statement, context, columns, values);
  return updateFromAny(statement, context, columns, values);
}

function versionOf(
  statement: BoundUpdate,
  context: RuleContext,
  columns: readonly ShapeColumn[],
  verb: string,
  body: Fragment,
  change: Version['change'],
): Version {
  return tableVersion(context, {
    label: `${context.shape.name.name}_${verb}`,
    title: `update ${shown(context.shape.name)}`,
    lines: statement.lines,
    change,
    dataFree: false,
    body: {
      kind: 'query',
      head: null,
      sql: withComments(statement.comments, withGenerated(context, body, columns)),
    },
  });
}

/** `set` columns take `value`; the others stay. */
function projected(
  columns: readonly ShapeColumn[],
  alias: string,
  values: Values,
  value: (name: string, set: Fragment, old: Fragment) => Fragment,
): Fragment {
  return selectList(
    columns.map(({ name }) => {
      const set = values.get(name);
      const old = columnOf(alias, name);
      return set
        ? { value: value(name, set, old), name, bare: false }
        : { value: old, name, bare: true };
    }),
  );
}

/** Rows are found again by a key that the statement does not change. */
function changeOf(statement: BoundUpdate, context: RuleContext, rows: Version): Version['change'] {
  const key = identifyingKey(context.shape);
  const keeps = key?.columns.every((column) =>
    statement.set.every((assignment) => assignment.column !== column),
  );
  return keeps ? { kind: 'merge', base: context.current, rows } : null;
}

function updateAlone(
  statement: BoundUpdate,
  context: RuleContext,
  columns: readonly ShapeColumn[],
  values: Values,
): WriteResult {
  const { alias } = statement.table;
  const table = sql`from ${from(context.current)} as ${identifier(alias)}`;
  const condition = statement.where;
  const changed = versionOf(
    statement,
    context,
    columns,
    'changed',
    sql`${projected(columns, alias, values, (_name, set) => set)}\n${table}${condition ? sql`\nwhere ${condition}` : ''}`,
    null,
  );
  const body = condition
    ? sql`${projected(columns, alias, values, (_name, set, old) => sql`case when ${condition} then ${set} else ${old} end`)}\n${table}`
    : sql`${projected(columns, alias, values, (_name, set) => set)}\n${table}`;
  const next = versionOf(
    statement,
    context,
    columns,
    'updated',
    body,
    condition ? changeOf(statement, context, changed) : null,
  );
  return { next, affected: changed, added: null, checks: [] };
}

function matchQuery(statement: BoundUpdate, values: Values): Fragment {
  const list = [...values].map(
    ([name, value]) => sql`,\n        ${value} as ${identifier(`new_${name}`)}`,
  );
  const where = statement.where ? sql`\n    where ${statement.where}` : sql``;
  const source = statement.from ? sql`\n    from ${statement.from}` : sql``;
  const prefix = statement.prefix ? sql`${statement.prefix}\n    ` : sql``;
  return sql`${prefix}select\n        true as is_matched${list.flat()}${source}${where}`;
}

function updateFrom(
  statement: BoundUpdate,
  context: RuleContext,
  columns: readonly ShapeColumn[],
  values: Values,
): WriteResult {
  const { alias } = statement.table;
  const lateral = sql`lateral (\n    ${matchQuery(statement, values)}\n) as matched on true`;
  const table = sql`from ${from(context.current)} as ${identifier(alias)}`;
  const changed = versionOf(
    statement,
    context,
    columns,
    'changed',
    sql`${projected(columns, alias, values, (name) => columnOf('matched', `new_${name}`))}\n${table}\ninner join ${lateral}`,
    null,
  );
  const key = identifyingKey(context.shape);
  // A lateral join on the outer side is done row by row; matches found by key are hashed.
  const matched = key
    ? sql`${from(allMatches(statement, context, context.current, values, key))} as matched\n    on ${onKeyNames(key, 'matched', alias)}`
    : lateral;
  const body = sql`${projected(columns, alias, values, taken)}\n${table}\nleft join ${matched}`;
  const next = versionOf(
    statement,
    context,
    columns,
    'updated',
    body,
    changeOf(statement, context, changed),
  );
  const written = projected(columns, alias, values, (_name, set) => set);
  const beside = returnedBeside(statement, context, statement.from, written);
  return { next, affected: changed, added: null, ...beside };
}

function taken(name: string, _set: Fragment, old: Fragment): Fragment {
  return sql`case when matched.is_matched then ${columnOf('matched', `new_${name}`)} else ${old} end`;
}

/**
 * PostgreSQL takes any of several matching rows. So does the model; a check tells where the
 * matches differ, since the result then depends on their order.
 */
function updateFromAny(
  statement: BoundUpdate,
  context: RuleContext,
  columns: readonly ShapeColumn[],
  values: Values,
): WriteResult {
  const { alias } = statement.table;
  const { rows: base, key } = identifiedRows(context, statement.lines);
  const table = sql`from ${from(base)} as ${identifier(alias)}`;
  const matches = allMatches(statement, context, base, values, key);
  const names = keyNames(key).join(', ');
  const picked = sql`(select distinct on (${names}) * from ${from(matches)})`;
  const condition = onKeyNames(key, 'matched', alias);
  const changed = versionOf(
    statement,
    context,
    columns,
    'changed',
    sql`${projected(columns, alias, values, (name) => columnOf('matched', `new_${name}`))}\n${table}\ninner join ${picked} as matched\n    on ${condition}`,
    null,
  );
  const body = sql`${projected(columns, alias, values, taken)}\n${table}\nleft join ${picked} as matched\n    on ${condition}`;
  const next = versionOf(
    statement,
    context,
    columns,
    'updated',
    body,
    changeOf(statement, context, changed),
  );
  const row = [...values.keys()].map((name) => identifier(`new_${name}`)).join(', ');
  const written = projected(columns, alias, values, (_name, set) => set);
  const { checks, ...beside } = returnedBeside(statement, context, statement.from, written);
  return {
    next,
    affected: changed,
    added: null,
    ...beside,
    checks: [
      ...checks,
      {
        line: statement.place.line,
        message:
          'Several rows of FROM match one row of the table with different values; which one is taken depends on their order.',
        query: sql`select ${names}\nfrom ${from(matches)}\ngroup by ${names}\nhaving count(distinct row(${row})) > 1`,
      },
    ],
  };
}

function allMatches(
  statement: BoundUpdate,
  context: RuleContext,
  base: Version,
  values: Values,
  key: Pick<ShapeKey, 'columns'>,
): Version {
  const { alias } = statement.table;
  const keys = keyColumns(key, alias);
  return context.factory.make({
    label: `${context.shape.name.name}_matches`,
    title: `update ${shown(context.shape.name)}: rows that match`,
    lines: statement.lines,
    columns: null,
    keys: [],
    change: null,
    owner: null,
    dataFree: false,
    body: {
      kind: 'query',
      head: null,
      sql: sql`select\n    ${keys},\n    matched.*\nfrom ${from(base)} as ${identifier(alias)}\ncross join lateral (\n    ${matchQuery(statement, values)}\n) as matched`,
    },
  });
}
