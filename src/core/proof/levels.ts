/**
 * Which procedures may be proven together: those that don't touch each other's tables give the same
 * rows whether they run in one database or each in its own, and one clone and one dbt run do for all.
 */
import { qualified } from '../catalog/names.ts';
import type { Catalog, QualifiedName } from '../catalog/types.ts';

export interface Footprint {
  readonly routine: string;
  readonly reads: readonly QualifiedName[];
  readonly writes: readonly QualifiedName[];
  /** Not all that it touches is known: it is never put together with another. */
  readonly unknown: boolean;
}

/** Groups in the order in which they run; within one, no procedure touches what another writes. */
export function levelsOf(
  footprints: readonly Footprint[],
  catalog: Catalog,
): readonly (readonly string[])[] {
  const neighbours = foreignKeyNeighbours(catalog);
  const levels: { routines: string[]; reads: Set<string>; writes: Set<string>; closed: boolean }[] =
    [];
  for (const footprint of footprints) {
    const writes = new Set(footprint.writes.map(qualified));
    // A write is checked against the tables that it refers to and that refer to it.
    const checked = [...writes].flatMap((table) => neighbours.get(table) ?? []);
    const reads = new Set([...footprint.reads.map(qualified), ...checked]);
    const last = levels.findLastIndex(
      (level) =>
        level.closed ||
        footprint.unknown ||
        !level.writes.isDisjointFrom(reads) ||
        !level.writes.isDisjointFrom(writes) ||
        !level.reads.isDisjointFrom(writes),
    );
    const level = levels[last + 1];
    if (level === undefined) {
      levels.push({ routines: [footprint.routine], reads, writes, closed: footprint.unknown });
    } else {
      level.routines.push(footprint.routine);
      level.reads = level.reads.union(reads);
      level.writes = level.writes.union(writes);
    }
  }
  return levels.map((level) => level.routines);
}

function foreignKeyNeighbours(catalog: Catalog): ReadonlyMap<string, readonly string[]> {
  const neighbours = new Map<string, string[]>();
  const add = (from: QualifiedName, to: QualifiedName) =>
    neighbours.set(qualified(from), [...(neighbours.get(qualified(from)) ?? []), qualified(to)]);
  for (const table of catalog.tables) {
    for (const { references } of table.foreignKeys) {
      add(table.name, references);
      add(references, table.name);
    }
  }
  return neighbours;
}
