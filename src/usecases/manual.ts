/** Brings models that people wrote from the run's branch to where workers find them. */
import { qualified } from '../core/catalog/names.ts';
import { readEffects } from '../core/graph/effects.ts';
import { peoplesModels } from '../core/lifecycle/branch.ts';
import { isDone } from '../core/lifecycle/state.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import type { ArtifactSet, Metadata } from '../ports/metadata.ts';
import type { RunRepository } from '../ports/repository.ts';
import { readKnowledge, readRecordedRun } from './run-knowledge.ts';

/**
 * Records, for every procedure that waits for a person's model, the files on the branch that build
 * its tables: none where there is no such file. Workers have no repository.
 */
export async function bringManualModels(
  metadata: Metadata,
  repository: RunRepository,
  plan: string,
): Promise<void> {
  const members = await metadata.members(plan);
  const waiting = [...members.values()].filter(
    ({ state }) => state.route === 'manual' && !isDone(state.status),
  );
  if (waiting.length === 0) return;
  await loadParser();
  const knowledge = await readKnowledge(
    metadata,
    repository,
    await readRecordedRun(metadata, plan),
  );
  const models = peoplesModels(knowledge);
  const effects = readEffects(knowledge.catalog);
  const artifacts = waiting.map(({ id }): ArtifactSet => {
    const written = new Set((effects.get(id)?.writes ?? []).map(qualified));
    const own = models.filter(({ table }) => written.has(qualified(table)));
    return { id, kind: 'file', contents: new Map(own.map(({ path, text }) => [path, text])) };
  });
  const ids = waiting.map(({ id }) => id);
  await metadata.change(plan, ids, () => ({ states: new Map(), artifacts }));
}
