/** INSERT: the rows that were there, and the rows of the query. */
import type { BoundInsert, BoundQuery } from '../bound.ts';
import { from, sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { refuse } from '../refusals.ts';
import { insertOnConflict } from './conflict.ts';
import {
  assigned,
  columnsOf,
  defaultValue,
  highestKey,
  selectList,
  tableVersion,
  withGenerated,
} from './context.ts';
import type { RuleContext, WriteResult } from './context.ts';
import { appended, shown, withComments } from './rows.ts';
import type { Proposal } from './rows.ts';
import type { ShapeColumn } from '../table.ts';
import type { ColumnInfo, Version } from '../version.ts';

export function insert(statement: BoundInsert, context: RuleContext): WriteResult {
  const { rows: added, keys } = insertedRows(statement, context);
  if (statement.conflict)
    return insertOnConflict(statement, statement.conflict, { rows: added, keys }, context);
  const next = appended(context, context.current, [added], statement);
  return { next, affected: added, added: [added], checks: [] };
}

/** The rows that an INSERT proposes, with every column of the table as it would be stored. */
function insertedRows(statement: BoundInsert, context: RuleContext): Proposal {
  const { query, lines } = statement;
  const label = `${context.shape.name.name}_inserted`;
  const title = `insert into ${shown(context.shape.name)}`;
  if (context.shape.columns === null)
    return { rows: unknownShape(statement, context, label, title), keys: [] };
  const columns = columnsOf(context, statement.place);
  if (!query) {
    const body = { kind: 'query', head: null, sql: defaultRow(columns, context) } as const;
    return {
      rows: tableVersion(context, { label, title, lines, change: null, dataFree: true, body }),
      keys: [[]],
    };
  }
  const given = givenColumns(statement, query, columns);
  const head = given.map((column) => column.name);
  const source = sourceVersion(statement, query, head, context, { label, title });
  const projection = columns.map((column) => project(column, given, query, statement, context));
  if (isIdentity(projection, columns, head)) {
    return { rows: tableVersion(context, { ...source, change: null }), keys: source.keys };
  }
  const rows = sql`${selectList(projection)}\nfrom ${from(source)}`;
  const stored = tableVersion(context, {
    label: `${label}_rows`,
    title: `${title}: columns as stored`,
    lines,
    change: null,
    dataFree: source.dataFree,
    body: { kind: 'query', head: null, sql: withGenerated(context, rows, columns) },
  });
  return { rows: stored, keys: source.keys };
}

interface Projected {
  readonly value: Fragment;
  readonly name: string;
  readonly bare: boolean;
}

function isIdentity(
  projection: readonly Projected[],
  columns: readonly ShapeColumn[],
  head: readonly string[],
): boolean {
  return (
    head.length === columns.length &&
    projection.every((item, index) => item.bare && item.name === head[index])
  );
}

function project(
  column: ShapeColumn,
  given: readonly ShapeColumn[],
  query: BoundQuery,
  statement: BoundInsert,
  context: RuleContext,
): Projected {
  const { name } = column;
  const position = given.findIndex((candidate) => candidate.name === name);
  if (column.generated) return { value: text('null'), name, bare: false };
  if (position < 0 || statement.defaulted.includes(name)) {
    const value = column.surrogate
      ? sql`${highestKey(context, column)} + row_number() over ()`
      : defaultValue(column);
    return {
      value: column.surrogate ? assigned(value, 'bigint', column) : value,
      name,
      bare: false,
    };
  }
  const reference = text(identifier(name));
  if (query.sequenceColumns.includes(position)) {
    return {
      value: assigned(sql`${highestKey(context, column)} + ${reference}`, 'bigint', column),
      name,
      bare: false,
    };
  }
  const type = query.columns?.[position]?.type ?? null;
  const value = assigned(reference, type, column);
  return { value, name, bare: value === reference };
}

function givenColumns(
  statement: BoundInsert,
  query: BoundQuery,
  columns: readonly ShapeColumn[],
): readonly ShapeColumn[] {
  const count = query.columns?.length ?? null;
  if (statement.columns === null) return count === null ? columns : columns.slice(0, count);
  const given = statement.columns.map((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) refuse('missing-column', statement.place, `The table has no column ${name}.`);
    return column;
  });
  if (count !== null && count !== given.length) {
    refuse(
      'missing-column',
      statement.place,
      `The statement names ${given.length} columns and its query gives ${count}.`,
    );
  }
  return given;
}

function sourceVersion(
  statement: BoundInsert,
  query: BoundQuery,
  head: readonly string[],
  context: RuleContext,
  names: { readonly label: string; readonly title: string },
): Version {
  const outputs = query.columns?.map((column) => column.name);
  const same =
    outputs?.length === head.length && outputs.every((name, index) => name === head[index]);
  const columns: ColumnInfo[] = head.map((name, index) => ({
    name,
    type: query.columns?.[index]?.type ?? null,
  }));
  return context.factory.make({
    ...names,
    lines: statement.lines,
    columns,
    keys: outputs
      ? query.keys.map((key) => key.map((column) => head[outputs.indexOf(column)] ?? column))
      : [],
    change: null,
    owner: null,
    dataFree: query.reads.length === 0,
    body: {
      kind: 'query',
      head: same ? null : head,
      sql: withComments(statement.comments, query.sql),
    },
  });
}

function defaultRow(columns: readonly ShapeColumn[], context: RuleContext): Fragment {
  return selectList(
    columns.map((column) => ({
      value: column.surrogate
        ? assigned(sql`${highestKey(context, column)} + 1`, 'bigint', column)
        : defaultValue(column),
      name: column.name,
      bare: false,
    })),
  );
}

/** A temporary table whose columns are not known takes the query's rows as they are. */
function unknownShape(
  statement: BoundInsert,
  context: RuleContext,
  label: string,
  title: string,
): Version {
  if (!statement.query || statement.columns) {
    refuse(
      'missing-column',
      statement.place,
      `The columns of ${context.shape.name.name} can't be told from the text.`,
    );
  }
  return tableVersion(context, {
    label,
    title,
    lines: statement.lines,
    change: null,
    dataFree: statement.query.reads.length === 0,
    body: { kind: 'query', head: null, sql: withComments(statement.comments, statement.query.sql) },
  });
}
