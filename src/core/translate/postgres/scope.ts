/** Which relations and columns a name can mean at one place of a query. */
import type { ColumnInfo, Version } from '../version.ts';

/** A numbered column of a subquery: `row_number() over (partition by …)`. */
interface RowNumber {
  readonly column: string;
  readonly partition: readonly string[];
}

export interface SortColumn {
  readonly column: string;
  /** `desc nulls last` and the like; empty for the default. */
  readonly direction: string;
}

/** What a query gives: the part of its meaning that the translator needs. */
export interface QueryShape {
  /** Null where the columns are not known. */
  readonly columns: readonly ColumnInfo[] | null;
  /** Sets of columns by which the rows are unique; an empty set means at most one row. */
  readonly keys: readonly (readonly string[])[];
  readonly rowNumbers: readonly RowNumber[];
  /** ORDER BY in terms of output columns, where it is over plain ones; null for none. */
  readonly order?: readonly SortColumn[] | null;
  /** Columns of the loop around that outputs stand for, by output position. */
  readonly loopColumns?: readonly (string | null)[];
}

/** One entry of FROM. */
export interface RangeItem extends QueryShape {
  readonly alias: string;
  /** The version that is read, where the entry is a table; null for subqueries and functions. */
  readonly version: Version | null;
  /** Its columns can be named only with the alias in front: the record of a loop. */
  readonly qualifiedOnly?: boolean;
  /** Name of the schema as the author wrote it, for references such as `schema.table.column`. */
  readonly schema: string | null;
}

export interface Scope {
  readonly parent: Scope | null;
  readonly items: RangeItem[];
  readonly ctes: Map<string, QueryShape>;
}

export function newScope(parent: Scope | null): Scope {
  return { parent, items: [], ctes: new Map() };
}

export const UNKNOWN_SHAPE: QueryShape = { columns: null, keys: [], rowNumbers: [] };

export function findCte(scope: Scope | null, name: string): QueryShape | null {
  for (let at = scope; at !== null; at = at.parent) {
    const shape = at.ctes.get(name);
    if (shape) return shape;
  }
  return null;
}

export interface FoundColumn {
  readonly item: RangeItem;
  readonly column: ColumnInfo;
}

/** System columns that every table has besides its own. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

export function isSystemColumn(name: string): boolean {
  return SYSTEM_COLUMNS.has(name);
}

function columnOf(item: RangeItem, name: string): FoundColumn | null {
  const column = item.columns?.find((candidate) => candidate.name === name);
  return column ? { item, column } : null;
}

/**
 * Looks a bare column name up, innermost query first. `maybe` means that an entry of FROM with
 * unknown columns could have it.
 */
export function findBareColumn(scope: Scope | null, name: string): FoundColumn | 'maybe' | null {
  let maybe = false;
  for (let at = scope; at !== null; at = at.parent) {
    for (const item of at.items) {
      if (item.qualifiedOnly) continue;
      const found = columnOf(item, name);
      if (found) return found;
      if (item.columns === null) maybe = true;
    }
  }
  return maybe ? 'maybe' : null;
}

export function findItem(scope: Scope | null, alias: string): RangeItem | null {
  for (let at = scope; at !== null; at = at.parent) {
    const item = at.items.find((candidate) => candidate.alias === alias);
    if (item) return item;
  }
  return null;
}

/** Looks up a path such as `column`, `alias.column` or `schema.table.column`. */
export function findColumn(
  scope: Scope | null,
  path: readonly string[],
): FoundColumn | 'maybe' | null {
  const name = path.at(-1) ?? '';
  if (path.length === 1) return findBareColumn(scope, name);
  const item = findItem(scope, path.at(-2) ?? '');
  if (!item) return null;
  return columnOf(item, name) ?? (item.columns === null || isSystemColumn(name) ? 'maybe' : null);
}

/** A shape whose columns are named anew by a list such as `alias (a, b)`. */
export function renamed(shape: QueryShape, head: readonly string[]): QueryShape {
  if (head.length === 0) return shape;
  const before = shape.columns;
  const rename = (name: string): string => {
    const index = before?.findIndex((column) => column.name === name) ?? -1;
    return head[index] ?? name;
  };
  return {
    columns:
      before?.map((column) => ({ ...column, name: rename(column.name) })) ??
      head.map((name) => ({ name, type: null })),
    keys: shape.keys.map((key) => key.map((column) => rename(column))),
    rowNumbers: shape.rowNumbers.map((n) => ({
      column: rename(n.column),
      partition: n.partition.map(rename),
    })),
  };
}
