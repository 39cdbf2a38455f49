/**
 * Whether a loop's body can be done for all rows at once, statement by statement.
 *
 * It can where no iteration sees what another one wrote. A table that is only added to, or only
 * deleted from, or updated by one statement with one match, and not read, is safe by itself. Any
 * other table that is written must be reached, at every read and write, by columns that are equal
 * to columns of the loop's row by which those rows are unique: then each iteration has its own rows.
 */
import type { BoundWrite, LoopPair, LoopRead } from '../bound.ts';
import type { Evaluation } from '../evaluate.ts';
import { qualified } from '../../catalog/names.ts';
import type { Version } from '../version.ts';

interface Access {
  readonly kind: 'read' | 'insert' | 'conflict' | 'update' | 'delete' | 'truncate';
  /** Column of the table to column of the loop's row; null where nothing is known. */
  readonly pairs: ReadonlyMap<string, string> | null;
  readonly line: number;
}

export class LoopAccesses {
  readonly #accesses = new Map<string, Access[]>();

  #add(table: string, access: Access): void {
    this.#accesses.set(table, [...(this.#accesses.get(table) ?? []), access]);
  }

  /** Notes what a query reads. */
  read(reads: readonly LoopRead[], line: number): void {
    for (const { table, pairs } of reads)
      this.#add(table, { kind: 'read', pairs: pairsOf(table, pairs), line });
  }

  /** `columns`: those of the table, in order, for an INSERT that names none. */
  write(bound: BoundWrite, columns: readonly string[]): void {
    const table = qualified(bound.table.name);
    const line = bound.place.line;
    if (bound.kind === 'insert') {
      if (bound.query) this.read(bound.query.loopReads, line);
      this.#add(table, {
        kind: bound.conflict ? 'conflict' : 'insert',
        pairs: insertPairs(bound, columns),
        line,
      });
    } else if (bound.kind !== 'merge') {
      this.read(bound.loopReads, line);
      this.#add(table, { kind: bound.kind, pairs: pairsOf(table, bound.loopPairs), line });
    }
  }

  /** Line of an access by which one iteration could see another; null where there is none. */
  conflict(rows: Version): { readonly table: string; readonly line: number } | null {
    for (const [table, accesses] of this.#accesses) {
      const writes = accesses.filter((access) => access.kind !== 'read');
      if (writes.length === 0 || isSafeAlone(accesses) || separated(accesses, rows)) continue;
      return { table, line: writes[0]?.line ?? 0 };
    }
    return null;
  }

  /** Notes everything that an inner loop does as done by this one. */
  include(inner: LoopAccesses): void {
    for (const [table, accesses] of inner.#accesses) {
      for (const access of accesses) this.#add(table, { ...access, pairs: null });
    }
  }
}

function pairsOf(table: string, pairs: readonly LoopPair[]): ReadonlyMap<string, string> | null {
  const own = pairs.filter((pair) => pair.table === table);
  return own.length === 0 ? null : new Map(own.map((pair) => [pair.column, pair.loopColumn]));
}

function insertPairs(
  bound: Extract<BoundWrite, { kind: 'insert' }>,
  tableColumns: readonly string[],
): ReadonlyMap<string, string> | null {
  const { query } = bound;
  const columns = bound.columns ?? tableColumns;
  if (!query) return null;
  const pairs = columns.flatMap((column, index): [string, string][] => {
    const loopColumn = query.loopColumns[index];
    return loopColumn ? [[column, loopColumn]] : [];
  });
  return pairs.length === 0 ? null : new Map(pairs);
}

function isSafeAlone(accesses: readonly Access[]): boolean {
  const kinds = accesses.map((access) => access.kind);
  if (kinds.every((kind) => kind === 'insert')) return true;
  if (kinds.every((kind) => kind === 'delete')) return true;
  return kinds.length === 1 && (kinds[0] === 'update' || kinds[0] === 'conflict');
}

/** Every access names, for the same columns of the table, the same unique columns of the row. */
function separated(accesses: readonly Access[], rows: Version): boolean {
  const [first, ...others] = accesses;
  if (!first?.pairs) return false;
  const shared = [...first.pairs].filter(([column, loopColumn]) =>
    others.every((access) => access.pairs?.get(column) === loopColumn),
  );
  const columns = new Set(shared.map(([, loopColumn]) => loopColumn));
  return rows.keys.some((key) => key.every((column) => columns.has(column)));
}

/** Refuses a loop whose iterations depend on each other. */
export function requireIndependence(
  evaluation: Evaluation,
  accesses: LoopAccesses,
  rows: Version,
): void {
  const conflict = accesses.conflict(rows);
  if (!conflict) return;
  throw evaluation.refusal(
    'loop-order',
    conflict.line,
    `loop over ${conflict.table}`,
    `An iteration of the loop may see rows of ${conflict.table} that an earlier one wrote.`,
  );
}
