/** What a run does and in which order: from the plan and what the source holds. */
import { qualified, routineId } from '../catalog/names.ts';
import type { Catalog } from '../catalog/types.ts';
import { cycleText, findCycles } from '../graph/cycles.ts';
import { scopeGraph } from '../graph/dependencies.ts';
import type { ScopeGraph, UnorderedWriters } from '../graph/dependencies.ts';
import { readEffects } from '../graph/effects.ts';
import { longestChainFirst } from '../graph/graph.ts';
import { scopeEffects } from '../graph/scope-effects.ts';
import type { ScopeEffects } from '../graph/scope-effects.ts';
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
  /** Ids of the included pipelines whose tables it reads or changes. */
  readonly pipelines: readonly string[];
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
  const effects = readEffects(catalog);
  const ignored = new Set(translations.flatMap(({ logTables }) => logTables.map(qualified)));
  const graph = scopeGraph({
    scope,
    effects,
    scopeIsOrdered: true,
    declared: declaredDependencies(plan),
    ignored,
  });
  const awaited = pipelinesByProcedure(plan, catalog, scopeEffects(scope, effects, ignored));
  return {
    procedures: longestChainFirst(graph).map((id) => ({
      id,
      dependsOn: graph.dependencies.get(id) ?? [],
      pipelines: awaited.get(id) ?? [],
    })),
    problems: [...unknownProcedures(scope, catalog), ...cycles(graph)],
    warnings: graph.unordered.map(unorderedWarning),
  };
}

/** A table is there when the pipelines of all its parts are loaded, or that of the whole. */
function pipelinesByProcedure(
  plan: Plan,
  catalog: Catalog,
  effects: ReadonlyMap<string, ScopeEffects>,
): ReadonlyMap<string, readonly string[]> {
  const moved = plan.pipelines.filter(({ include }) => include);
  const wholes = new Map(
    catalog.tables.flatMap(({ name, partitionOf }) =>
      partitionOf === undefined ? [] : [[qualified(name), qualified(partitionOf)] as const],
    ),
  );
  /** The table and all that it is a part of. */
  const upwards = (name: string): readonly string[] => {
    const whole = wholes.get(name);
    return whole === undefined ? [name] : [name, ...upwards(whole)];
  };
  return new Map(
    [...effects].map(([id, { reads, writes }]) => {
      const touched = new Set([...reads.keys(), ...writes.keys()]);
      const above = new Set([...touched].flatMap(upwards));
      return [
        id,
        moved
          .map((pipeline) => pipeline.id)
          .filter(
            (source) => above.has(source) || upwards(source).some((each) => touched.has(each)),
          ),
      ];
    }),
  );
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
