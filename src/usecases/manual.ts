/** Brings models that people wrote from the run's branch to where workers find them. */
import { qualified } from '../core/catalog/names.ts';
import { readEffects } from '../core/graph/effects.ts';
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { peoplesModels, projectOptions } from '../core/lifecycle/branch.ts';
import { isDone } from '../core/lifecycle/state.ts';
import { unprovableVerdict } from '../core/lifecycle/verdict.ts';
import type { Plan } from '../core/plan/types.ts';
import { renderProject } from '../core/project/render.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import type { Translation } from '../core/translate/types.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import type { ArtifactSet, Metadata } from '../ports/metadata.ts';
import type { RunRepository } from '../ports/repository.ts';
import { NONE_HANDWRITTEN } from './prove-handwritten.ts';
import type { HandwrittenModels } from './prove-handwritten.ts';
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

interface KnownOfRun {
  readonly plan: Plan;
  readonly catalog: Catalog;
  readonly translations: ReadonlyMap<string, Translation>;
}

/**
 * People's models as the proof takes them: each in place of what the translation builds. Which
 * tables and columns are to be compared, the translation says: without one nothing can be proven.
 */
export async function handwrittenModels(
  { metadata, plan: name }: { readonly metadata: Metadata; readonly plan: string },
  known: KnownOfRun,
  ids: readonly string[],
): Promise<HandwrittenForProof> {
  if (ids.length === 0) return { handwritten: NONE_HANDWRITTEN, unprovable: new Map() };
  const { plan, catalog, translations } = known;
  const files = await metadata.artifacts(name, { ids, kinds: ['file'] });
  const texts = new Map<string, ReadonlyMap<string, string>>();
  const tables = new Map<string, QualifiedName>(modelTables(known));
  const unprovable = new Map<string, ProofVerdict>();
  for (const id of ids) {
    const own = files.filter((file) => file.id === id);
    const peoples = new Map(own.map(({ path, content }) => [path, content]));
    const models = peoplesModels({ plan, catalog, peoples, unitTests: new Map() });
    for (const model of models) tables.set(model.name, model.table);
    const written = new Map(models.map(({ table, text }) => [qualified(table), text]));
    const translation = translations.get(id);
    const built = (translation?.models ?? []).map(({ table }) => qualified(table));
    const missing = built.filter((table) => !written.has(table));
    if (translation?.outcome !== 'models') unprovable.set(id, notTranslated(id));
    else if (missing.length > 0) unprovable.set(id, notWritten(id, missing));
    else texts.set(id, written);
  }
  return { handwritten: { texts, tables }, unprovable };
}

/** Tables by the names of the models that build them, as they stand side by side in the project of the run. */
function modelTables({ plan, catalog, translations }: KnownOfRun): [string, QualifiedName][] {
  const all = [...translations.values()].filter(({ outcome }) => outcome !== 'refused');
  const options = projectOptions({ plan, peoples: new Map(), unitTests: new Map() }, all);
  const { models } = renderProject({ catalog, translations: all, options });
  return models.map(({ name, table }) => [name, table]);
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
