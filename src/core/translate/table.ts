/** What the rules need to know of a table that is written. */
import type { QualifiedName } from '../catalog/types.ts';
import type { Fragment } from './fragment.ts';

export interface ShapeColumn {
  readonly name: string;
  readonly type: string | null;
  readonly notNull: boolean;
  /** What a row gets where a statement leaves the column out; null for NULL. */
  readonly defaultSql: Fragment | null;
  /** The routine reads the table that it writes, so that its values must be as stored. */
  readonly readBack?: boolean;
  /** Its DEFAULT gives values that no two runs share: a uuid, random(). */
  readonly randomDefault?: boolean;
  /** A sequence hands out its values: serial, identity, DEFAULT nextval(…). */
  readonly surrogate: boolean;
  /** GENERATED ALWAYS AS: computed from the other columns of the row. */
  readonly generated: Fragment | null;
}

export interface ShapeKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
  /** No column of it can be NULL, so it tells every row from every other. */
  readonly notNull: boolean;
  /** Two NULLs collide, as in NULLS NOT DISTINCT. */
  readonly nullsCollide: boolean;
}

/** A unique index over expressions, or over some of the rows. */
export interface ShapeIndex {
  readonly name: string;
  /** SQL text of everything that is indexed, over the columns of the table. */
  readonly parts: readonly string[];
  /** Condition of the rows that it covers; null for all. */
  readonly predicate: string | null;
  readonly nullsCollide: boolean;
}

export interface TableShape {
  readonly name: QualifiedName;
  readonly temporary: boolean;
  /** What COMMIT does to a temporary table. */
  readonly onCommit?: 'drop' | 'delete';
  /** Null for a table that the routine makes from a query whose columns are not known. */
  readonly columns: readonly ShapeColumn[] | null;
  readonly keys: readonly ShapeKey[];
  readonly indexes: readonly ShapeIndex[];
}

/** The key by which rows are found again: the primary one before others; null where there is none. */
export function identifyingKey(shape: TableShape): ShapeKey | null {
  const usable = shape.keys.filter((key) => key.notNull);
  return usable.find((key) => key.primary) ?? usable[0] ?? null;
}
