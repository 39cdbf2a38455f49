/** Compares two databases after the same work was done in both in different ways. */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import {
  MOMENT_SQL,
  parseRelation,
  RELATIONS_SQL,
  touchedSql,
} from '../core/proof/compare/relations.ts';
import type { Relation } from '../core/proof/compare/relations.ts';
import { comparedColumn } from '../core/proof/compare/rows.ts';
import { quoteName } from '../core/proof/names.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { compareRows } from './prove-compare-rows.ts';
import type {
  Changes,
  CompareRequest,
  Comparison,
  Observation,
  SharedRelation,
  TableComparison,
} from './prove-compare-rows.ts';
import { compareRenamed } from './prove-rename.ts';

/** Counts the rows of all tables. No transaction may be open. */
export async function observe(session: SqlSession): Promise<Observation> {
  const moment = (await session.query(MOMENT_SQL)).rows[0]?.[0] ?? '0';
  const counted = await countRows(session, tablesOf(await relationsOf(session)), moment);
  return { moment, rows: new Map([...counted].map(([name, [rows]]) => [name, rows])) };
}

/** For a clone of a database that was observed: what it holds is known. No transaction may be open. */
export async function observeClone(session: SqlSession, of: Observation): Promise<Observation> {
  return { moment: (await session.query(MOMENT_SQL)).rows[0]?.[0] ?? '0', rows: of.rows };
}

export async function relationsOf(session: SqlSession): Promise<readonly Relation[]> {
  const { rows } = await session.query(RELATIONS_SQL);
  return rows.map(([json]) => parseRelation(json ?? null));
}

/** What became of a database since an observation. */
export async function changesSince(
  session: SqlSession,
  relations: readonly Relation[],
  before: Observation,
): Promise<Changes> {
  const touched = new Set<string>();
  const counted = await countRows(session, tablesOf(relations), before.moment);
  for (const [name, [rows, written]] of counted) {
    if (written !== '0' || before.rows.get(name) !== rows) touched.add(name);
  }
  for (const name of before.rows.keys()) if (!counted.has(name)) touched.add(name);
  return { relations, touched, rows: new Map([...counted].map(([name, [rows]]) => [name, rows])) };
}

/**
 * The server's own upkeep is off. Without statistics the next procedures would meet plans that no
 * warehouse has; with statistics of empty tables they would meet the worst ones.
 */
export async function refreshStatistics(
  session: SqlSession,
  { relations, touched, rows: counted }: Changes,
): Promise<void> {
  const filled = relations.filter(({ name, kind }) => {
    const rows = counted.get(qualified(name)) ?? '0';
    return kind !== 'view' && touched.has(qualified(name)) && rows !== '0';
  });
  if (filled.length === 0) return;
  await session.query(`ANALYZE ${filled.map(({ name }) => quoteName(name)).join(', ')}`);
}

export async function compareDatabases(request: CompareRequest): Promise<Comparison> {
  const { procedure, model } = request;
  const relations = await relationsOf(procedure.session);
  const others = await relationsOf(model.session);
  const changes = await changesSince(procedure.session, relations, procedure.before);
  const changed = changes.touched;
  const { touched } = await changesSince(model.session, others, model.before);
  const isIgnored = (name: QualifiedName) => request.ignored.some((item) => sameName(item, name));
  const wanted = (name: QualifiedName) =>
    !isIgnored(name) &&
    (changed.has(qualified(name)) ||
      touched.has(qualified(name)) ||
      request.always.some((item) => sameName(item, name)));

  const results: TableComparison[] = [];
  const shared: SharedRelation[] = [];
  for (const relation of relations.filter(({ name }) => wanted(name))) {
    const other = others.find(({ name }) => sameName(name, relation.name));
    const problem =
      other === undefined ? 'the models do not build it' : columnProblem(relation, other, request);
    if (problem !== null) results.push(failed(relation.name, problem, changed));
    else shared.push(withoutLeftOut(relation, changed, request));
  }
  for (const { name } of others) {
    const known = relations.some((relation) => sameName(relation.name, name));
    if (known || !wanted(name) || request.onlyModel.some((item) => sameName(item, name))) continue;
    results.push(failed(name, 'only the models leave it; the procedure does not', changed));
  }
  const tables = [...results, ...(await compareShared(request, shared, relations))];
  return { tables, changes };
}

/** Exactly first; only where that fails, up to the numbers of surrogate keys. */
async function compareShared(
  request: CompareRequest,
  shared: readonly SharedRelation[],
  all: readonly Relation[],
): Promise<TableComparison[]> {
  const exact: TableComparison[] = [];
  for (const item of shared) {
    const columns = item.relation.columns.map(comparedColumn);
    exact.push(await compareRows(request, item, columns, ''));
  }
  if (exact.every((result) => result.equal) || request.surrogates.length === 0) return exact;
  return compareRenamed(request, shared, exact, all);
}

function withoutLeftOut(
  relation: Relation,
  changed: ReadonlySet<string>,
  { leftOut }: CompareRequest,
): SharedRelation {
  const columns = relation.columns.filter(
    (column) =>
      !leftOut.some(
        ({ table, column: name }) => sameName(table, relation.name) && name === column.name,
      ),
  );
  return { relation: { ...relation, columns }, changed: changed.has(qualified(relation.name)) };
}

function columnProblem(
  relation: Relation,
  other: Relation,
  { leftOut }: CompareRequest,
): string | null {
  const skipped = new Set(
    leftOut.filter(({ table }) => sameName(table, relation.name)).map(({ column }) => column),
  );
  for (const column of relation.columns) {
    const match = other.columns.find(({ name }) => name === column.name);
    if (match === undefined) {
      if (!skipped.has(column.name)) return `the model lacks the column ${column.name}`;
    } else if (match.base !== column.base) {
      return `the column ${column.name} is ${match.type} in the model, ${column.type} in the table`;
    }
  }
  const extra = other.columns.find(
    ({ name }) => !relation.columns.some((column) => column.name === name),
  );
  return extra === undefined ? null : `the model has one column more: ${extra.name}`;
}

function failed(
  table: QualifiedName,
  problem: string,
  changed: ReadonlySet<string>,
): TableComparison {
  const none = { rows: 0, equal: false, renamed: false, close: false, differences: [] };
  return { table, problem, changed: changed.has(qualified(table)), ...none };
}

function tablesOf(relations: readonly Relation[]): QualifiedName[] {
  return relations.filter(({ kind }) => kind !== 'view').map(({ name }) => name);
}

async function countRows(
  session: SqlSession,
  tables: readonly QualifiedName[],
  moment: string,
): Promise<ReadonlyMap<string, readonly [rows: string, written: string]>> {
  if (tables.length === 0) return new Map();
  const { rows } = await session.query(touchedSql(tables, moment));
  return new Map(
    rows.flatMap(([index, count, written]) => {
      const table = tables[Number(index)];
      return table === undefined ? [] : [[qualified(table), [count ?? '', written ?? ''] as const]];
    }),
  );
}
