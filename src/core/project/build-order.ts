/** Who waits for whom, and how that is said to dbt. */
import type { QualifiedName } from '../catalog/types.ts';
import { sameName } from '../catalog/names.ts';
import type { PlannedModel } from './arrange.ts';
import type { ProjectContext } from './context.ts';
import { BuildGraph } from './graph.ts';
import type { QuerySql } from './query-sql.ts';
import { refCall, sourceCall } from './relation-sql.ts';
import type { PlannedTest } from './singular-tests.ts';

export type Queries = ReadonlyMap<PlannedModel, QuerySql>;

/** All waiting that follows from the queries and the tests; foreign keys may add to it. */
export function buildGraph(
  context: ProjectContext,
  queries: Queries,
  tests: readonly PlannedTest[],
): BuildGraph {
  const graph = new BuildGraph();
  for (const [model, { dependencies }] of queries) {
    for (const read of dependencies.models) graph.add(read, model);
    for (const changer of dependencies.waiting) graph.add(model, changer);
    for (const table of model.translated.buildAfter) addBuildAfter(context, graph, model, table);
  }
  for (const [model, held] of heldByTests(context, tests)) {
    for (const test of held) {
      for (const read of test.query.dependencies.models) graph.add(read, model);
    }
  }
  return graph;
}

/** A table that the model reads out of sight of its SQL: inside a function, or in its former state. */
function addBuildAfter(
  context: ProjectContext,
  graph: BuildGraph,
  model: PlannedModel,
  table: QualifiedName,
): void {
  const sibling = context.arrangement.modelOf(model.position, table);
  if (sibling !== null) {
    graph.add(sibling, model);
    return;
  }
  const reader = { position: model.position, model };
  const read = context.arrangement.resolve(reader, { kind: 'relation', table, state: 'current' });
  if (read.kind === 'model') graph.add(read.model, model);
  if (read.kind === 'source' && read.built !== null) graph.add(model, read.built);
}

/**
 * Models that must not be built before a check has passed: those of the procedure that raises, and
 * those that change a table which the check reads. dbt runs a test before the models that depend on
 * everything that the test depends on.
 */
function heldByTests(
  context: ProjectContext,
  tests: readonly PlannedTest[],
): ReadonlyMap<PlannedModel, readonly PlannedTest[]> {
  const held = new Map<PlannedModel, PlannedTest[]>();
  for (const test of tests) {
    if (test.translated.when !== 'before') continue;
    const own = context.arrangement.modelsAt(test.position);
    for (const model of new Set([...own, ...test.query.dependencies.waiting])) {
      held.set(model, [...(held.get(model) ?? []), test]);
    }
  }
  return held;
}

/** By model, the `ref` and `source` calls that it needs beyond those in its SQL and its contract. */
export function dependsOnCalls(
  context: ProjectContext,
  queries: Queries,
  tests: readonly PlannedTest[],
  graph: BuildGraph,
  referenced: ReadonlyMap<PlannedModel, readonly PlannedModel[]>,
): ReadonlyMap<PlannedModel, readonly string[]> {
  const held = heldByTests(context, tests);
  const calls = new Map<PlannedModel, readonly string[]>();
  for (const [model, { dependencies }] of queries) {
    const known = new Set([...dependencies.models, ...(referenced.get(model) ?? [])]);
    const models = [...graph.earlierThan(model)].filter((earlier) => !known.has(earlier));
    const checked = (held.get(model) ?? []).map(({ query }) => query.dependencies);
    const sources = checked.flatMap((checks) => [...checks.sources.values()]);
    const existing = checked.flatMap((checks) => [...checks.existing]);
    const all = [
      ...models.map(({ name }) => refCall(name)),
      ...existing.filter((name) => !dependencies.existing.has(name)).map(refCall),
      ...sources
        .filter((table) => !readsSource(dependencies.sources.values(), table))
        .map((table) => sourceCall(context.sources, table)),
    ];
    calls.set(model, [...new Set(all)]);
  }
  return calls;
}

function readsSource(sources: Iterable<QualifiedName>, table: QualifiedName): boolean {
  return [...sources].some((source) => sameName(source, table));
}
