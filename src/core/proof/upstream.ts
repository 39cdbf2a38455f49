/**
 * The state that procedures find is the work of those that they depend on. One that was made for
 * another batch will often do, once what is missing was called on it too.
 */
import type { Catalog } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { readEffects } from '../graph/effects.ts';
import { scopeEffects } from '../graph/scope-effects.ts';
import type { Translation } from '../translate/types.ts';

/** Tables of a procedure, as `schema.name`. */
export interface Touched {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
  /** Not all that it touches is known. */
  readonly unknown: boolean;
}

/** By routine, logs left out: every procedure writes into them, and none depends on it. */
export function touchedTables(
  catalog: Catalog,
  translations: readonly Translation[],
): ReadonlyMap<string, Touched> {
  const logs = new Set(translations.flatMap(({ logTables }) => logTables.map(qualified)));
  for (const { writes } of translations) for (const name of writes) logs.delete(qualified(name));
  const effects = readEffects(catalog);
  const scope = translations.map(({ routine }) => routine);
  return new Map(
    [...scopeEffects(scope, effects, logs)].map(([routine, { reads, writes }]) => [
      routine,
      {
        reads: new Set(reads.keys()),
        writes: new Set(writes.keys()),
        unknown: (effects.get(routine)?.problems.length ?? 1) > 0,
      },
    ]),
  );
}

export interface UpstreamState {
  /** What was called to make the state, in order. */
  readonly called: readonly string[];
  /** What must have been called, in order. */
  readonly wanted: readonly string[];
  /** What is to run on the state. */
  readonly batch: readonly string[];
  readonly touched: ReadonlyMap<string, Touched>;
}

/** Whether calling what is missing makes of the state what calling all in order would have made. */
export function isContinuable({ called, wanted, batch, touched }: UpstreamState): boolean {
  const all = [...called, ...wanted, ...batch].map((routine) => touched.get(routine));
  if (all.some((one) => one === undefined || one.unknown)) return false;
  const writesWhatUses = (one: string, other: string): boolean => {
    const writes = touched.get(one)?.writes ?? new Set();
    const { reads, writes: written } = touched.get(other) ?? {
      reads: new Set(),
      writes: new Set(),
    };
    return !writes.isDisjointFrom(reads) || !writes.isDisjointFrom(written);
  };
  // What was called beyond what is wanted must not show.
  const beyond = called.filter((routine) => !wanted.includes(routine));
  if (beyond.some((one) => [...wanted, ...batch].some((other) => writesWhatUses(one, other))))
    return false;
  // What comes late must not have come to another end in its place.
  return wanted.every((missing, index) => {
    if (called.includes(missing)) return true;
    const later = wanted.slice(index + 1).filter((routine) => called.includes(routine));
    return later.every((one) => !writesWhatUses(missing, one) && !writesWhatUses(one, missing));
  });
}
