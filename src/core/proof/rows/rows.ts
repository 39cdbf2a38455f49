/** Makes up rows for a table. */
import type { Column, ForeignKey, Table } from '../../catalog/types.ts';
import { qualified } from '../../catalog/names.ts';
import type { Pool, Pools } from './pools.ts';
import type { Random } from './random.ts';
import { Ties } from './ties.ts';

/** Values by column, as text; a column that is left out takes its default. */
export type MadeRow = Readonly<Record<string, string | null>>;

/** Rows of other tables that foreign keys may refer to, by `schema.name`. */
export type Parents = ReadonlyMap<string, readonly MadeRow[]>;

/** Rows of another table, and by which columns rows of this one find them. */
export interface Joined {
  readonly columns: readonly (readonly [string, string])[];
  readonly rows: readonly MadeRow[];
}

export interface RowOptions {
  /** Rows that are there already: their keys are taken. */
  readonly existing: readonly MadeRow[];
  /** Whether columns that may be NULL are, now and then. */
  readonly nulls: boolean;
  /** Whether no two rows may be about the same thing, also where no key says so. */
  readonly tidy: boolean;
  /** Whether a column whose values conditions tell apart has no others. */
  readonly named?: boolean;
  /** Of tables that have rows already. */
  readonly joined?: readonly Joined[];
  /** Whether a column has each of its values once, while it has others. */
  readonly distinct?: boolean;
  /** For columns that are a key by themselves and count: the first number that is free. */
  readonly firstFree: ReadonlyMap<string, bigint>;
}

const NULL_CHANCE = 0.12;
const TOLD_CHANCE = 0.6;
const DEFAULT_CHANCE = 0.1;
const GROUP_CHANCE = 0.3;
const JOIN_CHANCE = 0.3;
const ATTEMPTS = 12;

export class RowMaker {
  readonly #table: Table;
  readonly #pools: ReadonlyMap<string, Pool | null>;
  readonly #random: Random;
  readonly #parents: Parents;
  readonly #identity: string | null;
  readonly #tidy: boolean;
  readonly #ties: Ties;
  /** Columns in which rows must be equal for a procedure to pick one of them, where that takes several. */
  readonly #groups: readonly (readonly string[])[];
  readonly #made: MadeRow[] = [];
  readonly #joined: readonly Joined[];
  readonly #taken: ReadonlyMap<string, Set<string>>;
  readonly #nulls: boolean;
  readonly #named: boolean;
  /** What each column holds already; null where values may be there twice. */
  readonly #used: Map<string, Set<string>> | null;
  readonly #firstFree: ReadonlyMap<string, bigint>;
  #count = 0;

  constructor(table: Table, pools: Pools, random: Random, parents: Parents, options: RowOptions) {
    this.#table = table;
    this.#random = random;
    this.#parents = parents;
    this.#nulls = options.nulls;
    this.#firstFree = options.firstFree;
    this.#tidy = options.tidy;
    this.#named = options.named ?? false;
    this.#used = options.distinct === true ? new Map() : null;
    this.#identity = pools.identityOf(table);
    this.#pools = new Map(table.columns.map((column) => [column.name, pools.of(table, column)]));
    this.#taken = new Map(this.#keys().map((key) => [key.join('\0'), new Set<string>()]));
    const rankings = pools.rankingsOf(table);
    this.#ties = new Ties(rankings, options.existing);
    this.#groups = rankings.map(({ partition }) => partition).filter(({ length }) => length > 1);
    this.#joined = (options.joined ?? [])
      .map(({ columns, rows }) => ({
        columns: columns.filter(([own]) => !this.#isBound(own)),
        rows,
      }))
      .filter(({ columns, rows }) => columns.length > 1 && rows.length > 0);
    for (const row of options.existing) this.#take(row);
  }

  /** Null where no row can be made whose keys are free. */
  next(): MadeRow | null {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const row = this.#propose(attempt);
      if (row === null) return null;
      this.#count += 1;
      if (this.#isFree(row)) {
        this.#take(row);
        this.#ties.take(row);
        this.#made.push(row);
        return row;
      }
    }
    return null;
  }

  /** What of a row becomes other values, so that it ties with no other row; it takes its new place. */
  changed(row: MadeRow, changes: MadeRow): MadeRow {
    this.#ties.release(row);
    const now = { ...row, ...changes };
    const untied = this.#ties.untied(now, (column) => this.#valuesFor(column));
    this.#ties.take({ ...now, ...untied });
    return { ...changes, ...untied };
  }

  /** The same row once more: with keys of its own, where it must have some. */
  twinOf(row: MadeRow): MadeRow | null {
    const keys = new Set(this.#keys().flat());
    if (keys.size === 0) return row;
    const fresh = this.next();
    if (fresh === null) return null;
    const own = Object.entries(fresh).filter(([name]) => keys.has(name));
    return { ...row, ...Object.fromEntries(own) };
  }

  #propose(attempt: number): MadeRow | null {
    const row: Record<string, string | null> = {};
    for (const column of this.#table.columns) {
      if (column.generatedSql !== null) continue;
      const value = this.#value(column, attempt);
      if (value !== undefined) row[column.name] = value;
    }
    for (const key of this.#table.foreignKeys) {
      if (!this.#refer(key, row)) return null;
    }
    const grouped = { ...row, ...this.#joinValues(attempt), ...this.#groupValues(attempt) };
    return { ...grouped, ...this.#ties.untied(grouped, (column) => this.#valuesFor(column)) };
  }

  /** Now and then a row finds one of another table by all that they are joined by. */
  #joinValues(attempt: number): MadeRow {
    const mayJoin = this.#used === null && attempt < ATTEMPTS / 2 && this.#joined.length > 0;
    if (!mayJoin || !this.#random.chance(JOIN_CHANCE)) return {};
    const joined = this.#random.pick(this.#joined);
    const other = this.#random.pick(joined?.rows ?? []) ?? {};
    return Object.fromEntries(
      (joined?.columns ?? []).flatMap(([own, column]): [string, string][] => {
        const value = other[column];
        return value == null ? [] : [[own, value]];
      }),
    );
  }

  /** Whether a column has values of its own in every row. */
  #isBound(name: string): boolean {
    const { columns } = this.#table;
    return (
      (this.#tidy && name === this.#identity) ||
      this.#keys().some((key) => key.length === 1 && key[0] === name) ||
      columns.some((column) => column.name === name && column.generatedSql !== null)
    );
  }

  /** Now and then a row joins the group of another one: by chance two columns are seldom equal. */
  #groupValues(attempt: number): MadeRow {
    const mayJoin = !this.#tidy && attempt < ATTEMPTS / 2 && this.#groups.length > 0;
    if (!mayJoin || !this.#random.chance(GROUP_CHANCE)) return {};
    const group = this.#random.pick(this.#groups) ?? [];
    const other = this.#random.pick(this.#made) ?? {};
    // A part of what refers to another table would refer to nothing.
    const isTorn = this.#table.foreignKeys.some(({ columns }) => {
      const shared = columns.filter((column) => group.includes(column)).length;
      return shared > 0 && shared < columns.length;
    });
    return isTorn
      ? {}
      : Object.fromEntries(Object.entries(other).filter(([name]) => group.includes(name)));
  }

  /** Undefined where the column's default is to be taken. */
  #value(column: Column, attempt: number): string | null | undefined {
    const pool = this.#pools.get(column.name) ?? null;
    const inKey = this.#keys().some((key) => key.includes(column.name));
    const isNumbered = column.identity !== null || column.sequence !== null;
    if (pool === null) return column.nullable ? null : undefined;
    const isIdentity = column.name === this.#identity;
    if (column.nullable && this.#nulls && !inKey && !isIdentity && this.#random.chance(NULL_CHANCE))
      return null;
    if (column.defaultSql !== null && !isNumbered && this.#random.chance(DEFAULT_CHANCE)) {
      return undefined;
    }
    const isWholeKey =
      (this.#tidy && column.name === this.#identity) ||
      this.#keys().some((key) => key.length === 1 && key[0] === column.name);
    if (isWholeKey) {
      const free = this.#firstFree.get(column.name);
      if (free !== undefined) return String(free + BigInt(this.#count + attempt));
      // Told values first, then key after key: every row has one of its own.
      const values = [...new Set([...pool.told, ...pool.keys, ...pool.others])];
      return values[(this.#count + attempt) % values.length] ?? null;
    }
    return this.#picked(column.name, pool);
  }

  #picked(column: string, pool: Pool): string | null {
    const isNamed = this.#named && pool.told.length > 1;
    const rest = pool.keys.length > 0 ? pool.keys : [...pool.others, ...pool.told];
    const told = this.#unused(column, pool.told);
    const isTold = isNamed || (told.length > 0 && this.#random.chance(TOLD_CHANCE));
    const values = isTold ? told : this.#unused(column, rest);
    // Where no value is left, one of those again that mean nothing to the procedures.
    const again = rest.filter((value) => !pool.told.includes(value));
    const value = this.#random.pick([values, again, rest].find(({ length }) => length > 0) ?? []);
    if (value === undefined) return null;
    this.#used?.set(column, (this.#used.get(column) ?? new Set()).add(value));
    return value;
  }

  #unused(column: string, values: readonly string[]): readonly string[] {
    const used = this.#used?.get(column);
    return used === undefined ? values : values.filter((value) => !used.has(value));
  }

  /** Values by which a row may be told from others; none where it is another table that says which. */
  #valuesFor(name: string): readonly string[] {
    const isFree =
      this.#table.columns.some((column) => column.name === name && column.generatedSql === null) &&
      !this.#keys().some((key) => key.includes(name)) &&
      !this.#table.foreignKeys.some(({ columns }) => columns.includes(name));
    const pool = this.#pools.get(name) ?? null;
    return isFree && pool !== null ? [...pool.told, ...pool.others, ...pool.keys] : [];
  }

  /** Takes the values of a foreign key from a row that is there. */
  #refer(key: ForeignKey, row: Record<string, string | null>): boolean {
    const parents = this.#parents.get(qualified(key.references)) ?? [];
    const columns = this.#table.columns.filter(({ name }) => key.columns.includes(name));
    const optional = columns.every(({ nullable }) => nullable);
    const parent = this.#random.pick(parents);
    const none =
      optional && (parent === undefined || (this.#nulls && this.#random.chance(NULL_CHANCE)));
    if (none) {
      for (const name of key.columns) row[name] = null;
      return true;
    }
    if (parent === undefined) return false;
    for (const [index, name] of key.columns.entries()) {
      row[name] = parent[key.referencedColumns[index] ?? ''] ?? null;
    }
    return true;
  }

  #keys(): readonly (readonly string[])[] {
    return this.#table.keys.filter((key) => !key.hasExpressions).map(({ columns }) => columns);
  }

  #isFree(row: MadeRow): boolean {
    return this.#keys().every((key) => {
      const text = keyText(key, row);
      return text === null || this.#taken.get(key.join('\0'))?.has(text) !== true;
    });
  }

  #take(row: MadeRow): void {
    for (const key of this.#keys()) {
      const text = keyText(key, row);
      if (text !== null) this.#taken.get(key.join('\0'))?.add(text);
    }
  }
}

/** Null where a part is NULL or left to its default: then nothing is known to be taken. */
function keyText(key: readonly string[], row: MadeRow): string | null {
  const values = key.map((column) => row[column]);
  return values.some((value) => value == null) ? null : JSON.stringify(values);
}

/** Tables in an order in which each comes after those that it refers to, as far as there is one. */
export function parentsFirst(tables: readonly Table[]): readonly Table[] {
  const byName = new Map(tables.map((table) => [qualified(table.name), table]));
  const ordered: Table[] = [];
  const visited = new Set<string>();
  const visit = (table: Table): void => {
    const name = qualified(table.name);
    if (visited.has(name)) return;
    visited.add(name);
    for (const { references } of table.foreignKeys) {
      const parent = byName.get(qualified(references));
      if (parent !== undefined) visit(parent);
    }
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  return ordered;
}
