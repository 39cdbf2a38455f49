/** Brings models that people wrote from the run's branch to where workers find them. */
import { qualified } from '../core/catalog/names.ts';
import { readEffects } from '../core/graph/effects.ts';
import type { Catalog } from '../core/catalog/types.ts';
import { peoplesModels } from '../core/lifecycle/branch.ts';
import { isDone } from '../core/lifecycle/state.ts';
import { unprovableVerdict } from '../core/lifecycle/verdict.ts';
import type { Plan } from '../core/plan/types.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import type { Translation } from '../core/translate/types.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import type { ArtifactSet, Metadata } from '../ports/metadata.ts';
import type { RunRepository } from '../ports/repository.ts';
import type { HandwrittenModels } from './prove-context.ts';
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

export interface HandwrittenForProof {
  readonly handwritten: HandwrittenModels;
  /** Verdicts on those that no proof can take up. */
  readonly unprovable: ReadonlyMap<string, ProofVerdict>;
}

/**
 * People's models as the proof takes them: each in place of what the translation builds. Which
 * tables and columns are to be compared, the translation says: without one nothing can be proven.
 */
export async function handwrittenModels(
  { metadata, plan: name }: { readonly metadata: Metadata; readonly plan: string },
  known: {
    readonly plan: Plan;
    readonly catalog: Catalog;
    readonly translations: ReadonlyMap<string, Translation>;
  },
  ids: readonly string[],
): Promise<HandwrittenForProof> {
  if (ids.length === 0) return { handwritten: new Map(), unprovable: new Map() };
  const { plan, catalog, translations } = known;
  const files = await metadata.artifacts(name, { ids, kinds: ['file'] });
  const handwritten = new Map<string, ReadonlyMap<string, string>>();
  const unprovable = new Map<string, ProofVerdict>();
  for (const id of ids) {
    const own = files.filter((file) => file.id === id);
    const peoples = new Map(own.map(({ path, content }) => [path, content]));
    const models = peoplesModels({ plan, catalog, peoples, unitTests: new Map() });
    const texts = new Map(models.map(({ table, text }) => [qualified(table), text]));
    const translation = translations.get(id);
    const tables = (translation?.models ?? []).map(({ table }) => qualified(table));
    const missing = tables.filter((table) => !texts.has(table));
    if (translation?.outcome !== 'models') unprovable.set(id, notTranslated(id));
    else if (missing.length > 0) unprovable.set(id, notWritten(id, missing));
    else handwritten.set(id, texts);
  }
  return { handwritten, unprovable };
}

function notTranslated(id: string): ProofVerdict {
  return unprovableVerdict(
    id,
    'Its model is there, but could not be proven: where a procedure is not translated, nothing says what must be compared.',
    'Compare the rows yourself, then "accept" it with the reason.',
  );
}

function notWritten(id: string, missing: readonly string[]): ProofVerdict {
  return unprovableVerdict(
    id,
    `No model on the branch builds ${missing.join(', ')}, which it writes too.`,
    'Commit one for each table, then retry.',
  );
}
