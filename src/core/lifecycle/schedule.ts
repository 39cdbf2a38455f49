/** What a run does and in which order: from the plan and what the source holds. */
import { qualified, routineId } from '../catalog/names.ts';
import type { Catalog } from '../catalog/types.ts';
import { cycleText, findCycles } from '../graph/cycles.ts';
import { scopeGraph } from '../graph/dependencies.ts';
import type { ScopeGraph, UnorderedWriters } from '../graph/dependencies.ts';
import { readEffects } from '../graph/effects.ts';
import { longestChainFirst } from '../graph/graph.ts';
import type { Plan } from '../plan/types.ts';
import type { Translation } from '../translate/types.ts';
import { nearest } from './select.ts';

export interface Schedule {
  /** In the order in which they are claimed: what is waited for comes first. */
  readonly procedures: readonly ScheduledProcedure[];
  /** What keeps the run from starting. */
  readonly problems: readonly ScheduleProblem[];
  /** What a person should know, and may let be. */
  readonly warnings: readonly string[];
}

export interface ScheduledProcedure {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

export interface ScheduleProblem {
  readonly code: 'procedure-unknown' | 'cycle';
  readonly message: string;
}

/** Ids of the included procedures, in the order of the plan. */
export function includedIds({ procedures }: Plan): readonly string[] {
  return procedures.filter(({ include }) => include).map(({ id }) => id);
}

/**
 * Orders the included procedures. `translations` are those of all of them: they say which tables
 * are only logs, which tie nothing together. The parser must be loaded (`loadParser`).
 */
export function scheduleRun(
  plan: Plan,
  catalog: Catalog,
  translations: readonly Translation[],
): Schedule {
  const scope = includedIds(plan);
  const graph = scopeGraph({
    scope,
    effects: readEffects(catalog),
    scopeIsOrdered: true,
    declared: declaredDependencies(plan),
    ignored: new Set(translations.flatMap(({ logTables }) => logTables.map(qualified))),
  });
  return {
    procedures: longestChainFirst(graph).map((id) => ({
      id,
      dependsOn: graph.dependencies.get(id) ?? [],
    })),
    problems: [...unknownProcedures(scope, catalog), ...cycles(graph)],
    warnings: graph.unordered.map(unorderedWarning),
  };
}

/** What the plan's column says: procedures, and whoever writes the tables that it names. */
function declaredDependencies({ procedures }: Plan): ReadonlyMap<string, readonly string[]> {
  const included = procedures.filter(({ include }) => include);
  return new Map(
    included.map(({ id, dependsOn }) => {
      const tables = new Set(dependsOn.tables.map(qualified));
      const writers = included.filter(
        (other) => other.id !== id && other.writes.some((table) => tables.has(qualified(table))),
      );
      return [id, [...dependsOn.procedures, ...writers.map((writer) => writer.id)]];
    }),
  );
}

function unknownProcedures(scope: readonly string[], catalog: Catalog): ScheduleProblem[] {
  const known = catalog.routines.map(routineId);
  const ids = new Set(known);
  return scope
    .filter((id) => !ids.has(id))
    .map((id) => {
      const near = nearest(
        id,
        known.map((value) => ({ value, text: value })),
      );
      const hint = near === null ? 'Take it out of the plan' : `Write ${near}, or take it out`;
      return {
        code: 'procedure-unknown',
        message: `The source has no procedure ${id}. ${hint}, or set its Include to no.`,
      };
    });
}

function cycles(graph: ScopeGraph): ScheduleProblem[] {
  return findCycles(graph).map((cycle) => ({
    code: 'cycle',
    message:
      `These procedures wait for each other for ever: ${cycleText(cycle)}. ` +
      'Set the Include of one of them to no; its table is read as a source then.',
  }));
}

const UNORDERED: Readonly<Record<UnorderedWriters['reason'], string>> = {
  'no-order': 'nothing tells their order',
  conflict: 'their callers run them in different orders',
  interleaved: 'one changes the table before it calls the other',
};

function unorderedWarning({ table, writers, reason }: UnorderedWriters): string {
  return (
    `${qualified(table)} is written by ${writers.join(', ')}: ${UNORDERED[reason]}. ` +
    'They are taken in this order; the rows of the plan change it.'
  );
}
