/** The order and the groups in which a batch is proven. */
import { qualified } from '../core/catalog/names.ts';
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { scopeGraph } from '../core/graph/dependencies.ts';
import { readEffects } from '../core/graph/effects.ts';
import { linearOrder } from '../core/graph/precedence.ts';
import { scopeEffects } from '../core/graph/scope-effects.ts';
import { levelsOf } from '../core/proof/levels.ts';
import type { Translation } from '../core/translate/types.ts';

export interface BatchPlan {
  /** All routines in the order in which they run, callers after those that they call. */
  readonly order: readonly string[];
  /** Groups that share a database; without routines that only call others. */
  readonly levels: readonly (readonly string[])[];
  readonly callers: readonly string[];
  /** Tables that a routine reads or writes; null where not all of them are known. */
  readonly inputsOf: (routine: string) => readonly QualifiedName[] | null;
  /** Tables that a routine writes; null where not all of them are known. */
  readonly writesOf: (routine: string) => readonly QualifiedName[] | null;
  /** Tables that routines read or write and that none of them but their only user writes. */
  readonly sources: readonly QualifiedName[];
  /** Tables that some routine writes. */
  readonly written: readonly QualifiedName[];
}

/** `translations` in the order of a plan where there is one: `ordered` says so. */
export function planBatch(
  catalog: Catalog,
  translations: readonly Translation[],
  ordered: boolean,
): BatchPlan {
  const byRoutine = new Map(translations.map((translation) => [translation.routine, translation]));
  const scope = translations.map(({ routine }) => routine);
  const logs = translations.flatMap(({ logTables }) => logTables);
  const written = translations.flatMap(({ writes }) => writes);
  const ignored = new Set(logs.map(qualified));
  for (const table of written) ignored.delete(qualified(table));

  const effects = readEffects(catalog);
  const { nodes } = linearOrder(scopeGraph({ scope, effects, scopeIsOrdered: ordered, ignored }));
  const isCaller = (routine: string) => byRoutine.get(routine)?.outcome === 'calls';
  const own = scopeEffects(
    nodes.filter((routine) => !isCaller(routine)),
    effects,
    ignored,
  );
  const footprints = [...own].map(([routine, { reads, writes }]) => {
    const translation = byRoutine.get(routine);
    return {
      routine,
      reads: unique([...reads.values(), ...(translation?.reads ?? [])]),
      writes: unique([...writes.values(), ...(translation?.writes ?? [])]),
      unknown: translation?.outcome === 'refused' && hasGaps(effects.get(routine)),
    };
  });
  const byName = new Map(footprints.map((footprint) => [footprint.routine, footprint]));
  const known = (routine: string) => {
    const footprint = byName.get(routine);
    return footprint === undefined || footprint.unknown ? null : footprint;
  };
  return {
    order: nodes,
    levels: levelsOf(footprints, catalog),
    callers: nodes.filter(isCaller),
    inputsOf(routine) {
      const footprint = known(routine);
      return footprint === null ? null : unique([...footprint.reads, ...footprint.writes]);
    },
    writesOf: (routine) => known(routine)?.writes ?? null,
    sources: sourcesOf(footprints),
    written: unique(footprints.flatMap(({ writes }) => writes)),
  };
}

/** Input that no procedure makes; a table that only one procedure uses is an input of it, too. */
function sourcesOf(
  footprints: readonly {
    readonly reads: readonly QualifiedName[];
    readonly writes: readonly QualifiedName[];
  }[],
): readonly QualifiedName[] {
  const written = new Set(footprints.flatMap(({ writes }) => writes.map(qualified)));
  return unique(footprints.flatMap(({ reads }) => reads)).filter(
    (table) => !written.has(qualified(table)),
  );
}

function hasGaps(effects: { readonly problems: readonly unknown[] } | undefined): boolean {
  return effects === undefined || effects.problems.length > 0;
}

function unique(names: readonly QualifiedName[]): readonly QualifiedName[] {
  return [...new Map(names.map((name) => [qualified(name), name])).values()];
}
