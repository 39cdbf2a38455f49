/** Compares relations whose surrogate keys may have other numbers on the other side. */
import { sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { Relation } from '../core/proof/compare/relations.ts';
import * as renaming from '../core/proof/compare/surrogates.ts';
import type { Reference, SurrogateKey } from '../core/proof/compare/surrogates.ts';
import { quoteIdentifier, quoteName } from '../core/proof/names.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { compareRows } from './prove-compare-rows.ts';
import type { CompareRequest, SharedRelation, TableComparison } from './prove-compare-rows.ts';

const MOST_REFINEMENTS = 12;

/**
 * `exact` is how the relations compare number by number. A relation that is equal so may still be
 * unequal by what its numbers stand for, so all that hold such numbers are compared again.
 */
export async function compareRenamed(
  request: CompareRequest,
  shared: readonly SharedRelation[],
  exact: readonly TableComparison[],
  all: readonly Relation[],
): Promise<TableComparison[]> {
  const keys = request.surrogates.filter((key) => shared.some((item) => holds(item, key)));
  if (keys.length === 0) return [...exact];
  for (const [index, key] of keys.entries()) await keepNumbers(request, index, key);

  let best: TableComparison[] = [...exact];
  let references: readonly Reference[] = foreignKeyReferences(request, keys);
  // Facts often refer to a dimension without a foreign key that says so: by name, or by value alone.
  for (const find of [noMore, sameNames, lookedUp]) {
    const more = await find({ request, shared, all, keys, references, results: best });
    if (more.length === 0 && find !== noMore) continue;
    references = [...references, ...more];
    const results = await compareWith(request, shared, exact, keys, references);
    if (find === noMore || equalOnes(results) > equalOnes(best)) best = results;
    if (best.every((result) => result.equal)) return best;
  }
  return best;
}

interface Search {
  readonly request: CompareRequest;
  readonly shared: readonly SharedRelation[];
  readonly all: readonly Relation[];
  readonly keys: readonly SurrogateKey[];
  readonly references: readonly Reference[];
  readonly results: readonly TableComparison[];
}

async function noMore(): Promise<Reference[]> {
  return [];
}

async function compareWith(
  request: CompareRequest,
  shared: readonly SharedRelation[],
  exact: readonly TableComparison[],
  keys: readonly SurrogateKey[],
  references: readonly Reference[],
): Promise<TableComparison[]> {
  const { procedure, model } = request;
  for (const { session } of [procedure, model]) {
    await makeTokens(session, keys, references, shared);
  }
  const results: TableComparison[] = [];
  for (const [index, item] of shared.entries()) {
    const before = exact[index];
    const { columns, joins } = renaming.renamedColumns(item.relation, keys, references);
    if (before !== undefined && joins === '') results.push(before);
    else {
      const result = await compareRows(request, item, columns, joins);
      results.push({ ...result, renamed: result.equal && before?.equal !== true });
    }
  }
  return results;
}

/** Numbers that a row had before the run and has after the procedure's, on both sides. */
async function keepNumbers(
  request: CompareRequest,
  index: number,
  key: SurrogateKey,
): Promise<void> {
  const { procedure, model, before } = request;
  const kept = new Set<string>();
  if (key.keeps && before !== null && (await exists(before, key.table))) {
    const numbers = async (session: SqlSession) =>
      (await session.query(renaming.numbersSql(key))).rows.map(([number]) => String(number));
    const after = new Set(await numbers(procedure.session));
    for (const number of await numbers(before)) if (after.has(number)) kept.add(number);
  }
  for (const { session } of [procedure, model]) {
    await session.query(renaming.prepareKeptSql(index));
    const lines = [...kept].map((number) => `${number}\n`);
    await session.copyIn(`COPY ${renaming.keptTable(index)} FROM STDIN`, [lines.join('')]);
  }
}

async function makeTokens(
  session: SqlSession,
  keys: readonly SurrogateKey[],
  references: readonly Reference[],
  shared: readonly SharedRelation[],
): Promise<void> {
  const relations = keys.map((key) => shared.find((item) => holds(item, key))?.relation);
  const forEach = async (sql: typeof renaming.firstTokensSql) => {
    for (const [index, relation] of relations.entries()) {
      if (relation !== undefined) await session.query(sql(index, keys, relation, references));
    }
    const { rows } = await session.query(renaming.tokensToldApartSql(keys));
    return Number(rows[0]?.[0]);
  };
  let apart = await forEach(renaming.firstTokensSql);
  // One refinement for each step along a chain of references; both sides take as many.
  const steps = Math.min(MOST_REFINEMENTS, references.length + 1);
  for (let step = 0; step < steps; step += 1) {
    const next = await forEach(renaming.nextTokensSql);
    if (next === apart && step > keys.length) return;
    apart = next;
  }
}

function foreignKeyReferences(request: CompareRequest, keys: readonly SurrogateKey[]): Reference[] {
  return request.foreignKeys.flatMap(({ table, column, references }) => {
    const key = keys.findIndex(
      (item) => sameName(item.table, references.table) && item.column === references.column,
    );
    return key < 0 ? [] : [{ table, column, key }];
  });
}

/** Columns that are called as the key is, unless they are the key of a table of their own. */
async function sameNames({ request, all, keys, references }: Search): Promise<Reference[]> {
  return all.flatMap((relation) => {
    const ownKey = request.keyOf(relation.name);
    return relation.columns.flatMap((column): Reference[] => {
      const named = keys.flatMap((item, key) => (item.column === column.name ? [key] : []));
      const [key] = named;
      if (!column.integer || named.length !== 1 || key === undefined) return [];
      const isOwn = ownKey.length === 1 && ownKey[0] === column.name;
      const taken = [...keys, ...references].some((item) =>
        isColumn(item, relation.name, column.name),
      );
      return isOwn || taken ? [] : [{ table: relation.name, column: column.name, key }];
    });
  });
}

/** Integer columns of unequal relations whose values, on both sides, are all numbers of one key. */
async function lookedUp({
  request,
  shared,
  keys,
  references,
  results,
}: Search): Promise<Reference[]> {
  const found: Reference[] = [];
  for (const { relation } of shared) {
    const result = results.find(({ table }) => sameName(table, relation.name));
    if (result === undefined || result.equal) continue;
    for (const column of relation.columns) {
      const taken = [...keys, ...references].some((item) =>
        isColumn(item, relation.name, column.name),
      );
      if (!column.integer || taken || !differs(result, column.name)) continue;
      const place = { table: relation.name, column: column.name };
      const [key] = byLikeness(await keysAround(request, place, keys), keys, column.name);
      if (key !== undefined) found.push({ ...place, key });
    }
  }
  return found;
}

async function keysAround(
  { procedure, model }: CompareRequest,
  place: { readonly table: QualifiedName; readonly column: string },
  keys: readonly SurrogateKey[],
): Promise<number[]> {
  const fitting: number[] = [];
  for (const [index, key] of keys.entries()) {
    const inProcedure = await isWithin(procedure.session, place, key);
    if (inProcedure && (await isWithin(model.session, place, key))) fitting.push(index);
  }
  return fitting;
}

/** The key whose table's name occurs in the column's name first: `customer_id` of `dim_customer`. */
function byLikeness(
  fitting: readonly number[],
  keys: readonly SurrogateKey[],
  column: string,
): number[] {
  const stem = column.replace(/_?(id|sk|key|fk)$/u, '');
  const likeness = (index: number) => {
    const key = keys[index];
    if (key === undefined) return 0;
    return key.column === column ? 2 : Number(stem !== '' && key.table.name.includes(stem));
  };
  return fitting.toSorted((a, b) => likeness(b) - likeness(a));
}

function differs(result: TableComparison, column: string): boolean {
  return result.differences.some(
    ({ procedure, model }) =>
      procedure === null || model === null || procedure[column] !== model[column],
  );
}

async function isWithin(
  session: SqlSession,
  place: { readonly table: QualifiedName; readonly column: string },
  key: SurrogateKey,
): Promise<boolean> {
  const value = quoteIdentifier(place.column);
  const { rows } = await session.query(
    `SELECT count(*) > 0 AND bool_and(EXISTS (
              SELECT FROM ${quoteName(key.table)} AS k WHERE k.${quoteIdentifier(key.column)} = r.${value}))
       FROM ${quoteName(place.table)} AS r WHERE r.${value} > 0`,
  );
  return rows[0]?.[0] === 't';
}

async function exists(session: SqlSession, table: QualifiedName): Promise<boolean> {
  const { rows } = await session.query('SELECT to_regclass($1) IS NOT NULL', [quoteName(table)]);
  return rows[0]?.[0] === 't';
}

function holds(item: SharedRelation, key: SurrogateKey): boolean {
  return (
    sameName(item.relation.name, key.table) &&
    item.relation.columns.some((column) => column.name === key.column)
  );
}

function isColumn(
  item: { readonly table: QualifiedName; readonly column: string },
  table: QualifiedName,
  column: string,
): boolean {
  return sameName(item.table, table) && item.column === column;
}

function equalOnes(results: readonly TableComparison[]): number {
  return results.filter((result) => result.equal).length;
}
