/** Compares the rows of one relation in two databases. */
import type { QualifiedName } from '../core/catalog/types.ts';
import { pairRows } from '../core/proof/compare/pairs.ts';
import type { Relation } from '../core/proof/compare/relations.ts';
import * as rowsOf from '../core/proof/compare/rows.ts';
import type { ComparedColumn } from '../core/proof/compare/rows.ts';
import type { SurrogateKey } from '../core/proof/compare/surrogates.ts';
import type { RowDifference } from '../core/proof/types.ts';
import type { SqlSession } from '../ports/sandbox.ts';

/** A database as it was before a run: taken by `observe`, used to see what the run has touched. */
export interface Observation {
  readonly moment: string;
  readonly rows: ReadonlyMap<string, string>;
}

export interface Changes {
  readonly relations: readonly Relation[];
  /** Names of tables that hold other rows than at the observation, or are new or gone. */
  readonly touched: ReadonlySet<string>;
  /** Number of rows by table. */
  readonly rows: ReadonlyMap<string, string>;
}

export interface Comparison {
  readonly tables: readonly TableComparison[];
  /** On the procedure's side. */
  readonly changes: Changes;
}

export interface TableComparison {
  readonly table: QualifiedName;
  /** Rows of the procedure's side. */
  readonly rows: number;
  readonly equal: boolean;
  /** Whether the run changed rows on the procedure's side. */
  readonly changed: boolean;
  /** Equal only up to the numbers of surrogate keys. */
  readonly renamed: boolean;
  /** Equal only up to the last bits of floats. */
  readonly close: boolean;
  /** What differs other than rows: a missing table, a column of another type. */
  readonly problem: string | null;
  readonly differences: readonly RowDifference[];
}

export interface Side {
  readonly session: SqlSession;
  readonly before: Observation;
}

export interface CompareRequest {
  readonly procedure: Side;
  readonly model: Side;
  /** The state before the run; null where no row existed whose number counts. */
  readonly before: SqlSession | null;
  readonly round: string;
  /** Compared even where the run has touched neither side: views, and tables that should be written. */
  readonly always: readonly QualifiedName[];
  readonly ignored: readonly QualifiedName[];
  /** Relations that only the model's side has, rightly: steps between procedures. */
  readonly onlyModel: readonly QualifiedName[];
  readonly leftOut: readonly { readonly table: QualifiedName; readonly column: string }[];
  readonly surrogates: readonly SurrogateKey[];
  /** Foreign keys of one column: who refers to whom. */
  readonly foreignKeys: readonly ColumnReference[];
  /** Columns of a table that identify a row for people; empty where there are none. */
  readonly keyOf: (table: QualifiedName) => readonly string[];
}

export interface ColumnReference {
  readonly table: QualifiedName;
  readonly column: string;
  readonly references: { readonly table: QualifiedName; readonly column: string };
}

/** A relation as both sides have it, without the columns that are left out. */
export interface SharedRelation {
  readonly relation: Relation;
  readonly changed: boolean;
}

const SHOWN_ROWS = 50;
const SHOWN_DIFFERENCES = 10;

/** Brings the procedure's rows to the model's side and takes the difference there, both ways. */
export async function compareRows(
  request: CompareRequest,
  { relation, changed }: SharedRelation,
  columns: readonly ComparedColumn[],
  joins: string,
): Promise<TableComparison> {
  const { procedure, model } = request;
  const rows = rowsOf.rowsSql(relation, columns, joins);
  await model.session.query(rowsOf.prepareSql(columns));
  const copied = procedure.session.copyOut(rowsOf.copyOutSql(rows));
  const count = await model.session.copyIn(rowsOf.COPY_IN, copied);
  await model.session.query(rowsOf.missingSql(rows));
  if (await isSame(model.session, rows, count))
    return {
      table: relation.name,
      rows: count,
      equal: true,
      changed,
      renamed: false,
      close: false,
      problem: null,
      differences: [],
    };
  await model.session.query(rowsOf.extraSql(rows));
  let [missing, extra] = await leftOver(model.session);
  let close = false;
  if (missing === extra && missing > 0 && columns.some((column) => column.float !== null)) {
    await model.session.query(rowsOf.closeFloatsSql(columns));
    [missing, extra] = await leftOver(model.session);
    close = missing === 0 && extra === 0;
  }
  const equal = missing === 0 && extra === 0;
  const differences = equal ? [] : await differingRows(request, relation);
  return {
    table: relation.name,
    rows: count,
    equal,
    changed,
    renamed: false,
    close,
    problem: null,
    differences,
  };
}

/** As many rows on both sides, and every one of the procedure's found in the model: then all are. */
async function isSame(session: SqlSession, rows: string, count: number): Promise<boolean> {
  const [own] = (await session.query(rowsOf.countSql(rows))).rows;
  const [missing] = (await session.query(rowsOf.MISSING_COUNT)).rows;
  return Number(own?.[0]) === count && Number(missing?.[0]) === 0;
}

async function leftOver(session: SqlSession): Promise<[number, number]> {
  const [row] = (await session.query(rowsOf.DIFFERENCE_COUNTS)).rows;
  return [Number(row?.[1]), Number(row?.[2])];
}

async function differingRows(
  request: CompareRequest,
  relation: Relation,
): Promise<readonly RowDifference[]> {
  const first = (table: string) =>
    request.model.session.query(rowsOf.firstRowsSql(table, SHOWN_ROWS));
  const onlyProcedure = await first(rowsOf.ONLY_PROCEDURE);
  const onlyModel = await first(rowsOf.ONLY_MODEL);
  const rows = {
    columns: onlyProcedure.columns,
    procedure: onlyProcedure.rows,
    model: onlyModel.rows,
  };
  const key = request.keyOf(relation.name);
  return pairRows(relation.name, request.round, rows, key).slice(0, SHOWN_DIFFERENCES);
}
