/** INSERT … ON CONFLICT: do nothing, or update the row that is there. */
import type { BoundInsert, Conflict } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { from, sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { identifyingKey } from '../table.ts';
import type { ShapeColumn, ShapeKey } from '../table.ts';
import type { Version } from '../version.ts';
import { arbiterOf } from './arbiter.ts';
import type { Arbiter } from './arbiter.ts';
import type { AmbiguityCheck, RuleContext, WriteResult } from './context.ts';
import {
  assignments,
  columnOf,
  columnsOf,
  selectList,
  tableVersion,
  union,
  withGenerated,
} from './context.ts';
import { appended, shown } from './rows.ts';
import type { Proposal } from './rows.ts';

const PROPOSED = 'is_proposed';

export function insertOnConflict(
  statement: BoundInsert,
  conflict: Conflict,
  proposal: Proposal,
  context: RuleContext,
): WriteResult {
  const proposed = proposal.rows;
  const arbiter = arbiterOf(statement, conflict, proposed, context);
  if (arbiter === null) {
    const next = appended(context, context.current, [proposed], statement);
    return { next, affected: proposed, added: [proposed], checks: [] };
  }
  if (conflict.action.kind === 'nothing') return doNothing(statement, arbiter, proposal, context);
  return doUpdate(statement, conflict.action, arbiter, proposed, context);
}

function onKey(key: ShapeKey, left: string, right: string): Fragment {
  const same = key.nullsCollide ? 'is not distinct from' : '=';
  return sql`${key.columns.map((column) => `${left}.${identifier(column)} ${same} ${right}.${identifier(column)}`).join(' and ')}`;
}

function doNothing(
  statement: BoundInsert,
  { key, base, proposed }: Arbiter,
  proposal: Proposal,
  context: RuleContext,
): WriteResult {
  const columns = columnsOf(context, statement.place);
  const list = columns.map((column) => `proposed.${identifier(column.name)}`).join(',\n    ');
  const isThere =
    base.body.kind === 'empty'
      ? null
      : sql`not exists (\n    select 1\n    from ${from(base)} as existing\n    where ${onKey(key, 'existing', 'proposed')}\n)`;
  const unique = proposal.keys.some((columns) =>
    columns.every((column) => key.columns.includes(column)),
  );
  const body = unique
    ? sql`select\n    ${list}\nfrom ${from(proposed)} as proposed${isThere ? sql`\nwhere ${isThere}` : ''}`
    : firstOfEach(key, columns, proposed, isThere, orderOf(statement, columns));
  const fresh = tableVersion(context, {
    label: `${context.shape.name.name}_new`,
    title: `insert into ${shown(context.shape.name)} … on conflict do nothing: the rows that are new`,
    lines: statement.lines,
    change: null,
    dataFree: proposed.dataFree,
    body: { kind: 'query', head: null, sql: body },
  });
  const next = appended(context, context.current, [fresh], statement);
  const checks = unique ? [] : [tie(statement, key, columns, proposed)];
  return { next, affected: fresh, added: [fresh], checks };
}

/** One proposed row for each key; rows with a NULL in the key never collide. */
function firstOfEach(
  key: ShapeKey,
  columns: readonly ShapeColumn[],
  proposed: Version,
  isThere: Fragment | null,
  order: string,
): Fragment {
  const partition = key.columns.map((column) => `proposed.${identifier(column)}`).join(', ');
  const list = columns.map((column) => identifier(column.name)).join(',\n    ');
  const nulls =
    key.notNull || key.nullsCollide
      ? ''
      : key.columns.map((column) => ` or ${identifier(column)} is null`).join('');
  const condition = isThere ? sql`\n    where ${isThere}` : sql``;
  return sql`select\n    ${list}\nfrom (\n    select\n        proposed.*,\n        row_number() over (partition by ${partition}${order}) as row_of_key\n    from ${from(proposed)} as proposed${condition}\n) as numbered\nwhere row_of_key = 1${nulls}`;
}

/** ORDER BY of the query, over the columns that are inserted; empty where it is over others. */
function orderOf(statement: BoundInsert, columns: readonly ShapeColumn[]): string {
  const { query } = statement;
  const given = statement.columns ?? columns.map((column) => column.name);
  const sorted = (query?.order ?? []).map(({ column, direction }) => {
    const name = given[query?.columns?.findIndex((output) => output.name === column) ?? -1];
    return name === undefined ? null : `proposed.${identifier(name)} ${direction}`.trim();
  });
  return sorted.length === 0 || sorted.includes(null) ? '' : ` order by ${sorted.join(', ')}`;
}

/** Proposed rows that share a key and differ: which one is kept depends on their order. */
function tie(
  statement: BoundInsert,
  key: ShapeKey,
  columns: readonly ShapeColumn[],
  proposed: Version,
): AmbiguityCheck {
  const keys = key.columns.map((column) => identifier(column)).join(', ');
  const order = orderOf(statement, columns)
    .replace(' order by ', '')
    .replaceAll(/proposed\.| desc| asc| nulls first| nulls last/gu, '');
  const group = order === '' ? keys : `${keys}, ${order}`;
  const others = columns.filter(
    (column) =>
      !key.columns.includes(column.name) &&
      !column.surrogate &&
      !/^(json|xml|point|polygon)$/u.test(column.type ?? ''),
  );
  const row = others.map((column) => identifier(column.name)).join(', ');
  const nulls = key.columns.map((column) => `${identifier(column)} is not null`).join(' and ');
  return {
    line: statement.place.line,
    message: `Several rows of the query have the same (${key.columns.join(', ')}); which one is inserted depends on their order.`,
    query: sql`select ${keys}\nfrom ${from(proposed)}\nwhere ${nulls}\ngroup by ${group}\nhaving count(distinct row(${row})) > 1`,
  };
}

function doUpdate(
  statement: BoundInsert,
  action: Extract<Conflict['action'], { kind: 'update' }>,
  { key, base, proposed }: Arbiter,
  rowsAsStored: Version,
  context: RuleContext,
): WriteResult {
  const columns = columnsOf(context, statement.place);
  const { alias } = statement.table;
  const values = assignments(action.set, columns, statement.place);
  const excluded = sql`(select *, true as ${PROPOSED} from ${from(proposed)})`;
  const title = `insert into ${shown(context.shape.name)} … on conflict do update`;
  const common = { lines: statement.lines, change: null, dataFree: false };
  if (base.body.kind === 'empty') {
    const next = union(context, [rowsAsStored], { title, lines: statement.lines, change: null });
    return { next, affected: rowsAsStored, added: null, checks: [] };
  }
  const hit = action.where
    ? sql`excluded.${PROPOSED} and (${action.where})`
    : sql`excluded.${PROPOSED}`;
  const updated = tableVersion(context, {
    ...common,
    label: `${context.shape.name.name}_upserted`,
    title: `${title}: the rows that were there`,
    body: {
      kind: 'query',
      head: null,
      sql: withGenerated(
        context,
        sql`${selectList(
          columns.map((column) => {
            const value = values.get(column.name);
            const old = columnOf(alias, column.name);
            return value
              ? {
                  value: sql`case when ${hit} then ${value} else ${old} end`,
                  name: column.name,
                  bare: false,
                }
              : { value: old, name: column.name, bare: true };
          }),
        )}\nfrom ${from(base)} as ${identifier(alias)}\nleft join ${excluded} as excluded\n    on ${onKey(key, 'excluded', identifier(alias))}`,
        columns,
      ),
    },
  });
  const changed = tableVersion(context, {
    ...common,
    label: `${context.shape.name.name}_changed`,
    title: `${title}: the rows that change`,
    body: {
      kind: 'query',
      head: null,
      sql: withGenerated(
        context,
        sql`${selectList(
          columns.map((column) => {
            const value = values.get(column.name);
            return value
              ? { value, name: column.name, bare: false }
              : { value: columnOf(alias, column.name), name: column.name, bare: true };
          }),
        )}\nfrom ${from(base)} as ${identifier(alias)}\ninner join ${from(proposed)} as excluded\n    on ${onKey(key, 'excluded', identifier(alias))}${action.where ? sql`\nwhere ${action.where}` : ''}`,
        columns,
      ),
    },
  });
  const list = columns.map((column) => `proposed.${identifier(column.name)}`).join(',\n    ');
  const fresh = tableVersion(context, {
    ...common,
    label: `${context.shape.name.name}_new`,
    title: `${title}: the rows that are new`,
    body: {
      kind: 'query',
      head: null,
      sql: sql`select\n    ${list}\nfrom ${from(proposed)} as proposed\nwhere not exists (\n    select 1\n    from ${from(base)} as existing\n    where ${onKey(key, 'existing', 'proposed')}\n)`,
    },
  });
  const rows = union(context, [changed, fresh], {
    title: `${title}: changed and new rows`,
    lines: statement.lines,
    change: null,
  });
  const keeps = identifyingKey(context.shape)?.columns.every((column) => !values.has(column));
  const next = union(context, [updated, fresh], {
    title,
    lines: statement.lines,
    change: keeps ? { kind: 'merge', base: context.current, rows } : null,
  });
  return { next, affected: rows, added: null, checks: [] };
}
