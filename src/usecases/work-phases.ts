/**
 * The phases of a claimed batch: discover → analyse → translate → build → prove → record. Each starts
 * from what the one before recorded, so that another worker can go on from any mark.
 */
import { qualified, routineId } from '../core/catalog/names.ts';
import type { Catalog } from '../core/catalog/types.ts';
import { projectOptions } from '../core/lifecycle/branch.ts';
import type { RunMember, RunMembers } from '../core/lifecycle/run.ts';
import {
  failureText,
  faultVerdict,
  refusedVerdict,
  translationText,
  verdictText,
} from '../core/lifecycle/verdict.ts';
import { parameterValues } from '../core/plan/parameter-values.ts';
import type { Plan } from '../core/plan/types.ts';
import { renderProject } from '../core/project/render.ts';
import type { ModelUnitTest } from '../core/project/types.ts';
import { withCalled } from '../core/proof/called.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import type { Translation } from '../core/translate/types.ts';
import type { ArtifactKind, ArtifactSet, Metadata } from '../ports/metadata.ts';
import { isEnvironment, withAdvice } from './environment.ts';
import { handwrittenModels } from './manual.ts';
import type { HandwrittenModels } from './prove-handwritten.ts';
import { parseTranslation, parseVerdict, readCatalog, readRecordedRun } from './run-knowledge.ts';
import { translateIncluded } from './run.ts';
import type { Claim, Outcome, Work } from './work-claim.ts';
import type { BatchWork } from './work.ts';

export interface ProofRequest {
  readonly plan: Plan;
  readonly catalog: Catalog;
  /** Every procedure of the run, in execution order. */
  readonly members: RunMembers;
  /** Theirs, in the same order. */
  readonly translations: readonly Translation[];
  /** Those to prove. */
  readonly ids: readonly string[];
  /** People's models, for those of them whose models people write. */
  readonly handwritten: HandwrittenModels;
  readonly signal: AbortSignal;
}

export interface ProofResult {
  readonly verdict: ProofVerdict;
  readonly unitTests: readonly ModelUnitTest[];
}

/** Proves procedures, whatever comes out; throws where that was not possible at all. */
export type Prove = (request: ProofRequest) => Promise<ReadonlyMap<string, ProofResult>>;

export interface PhaseTools {
  readonly metadata: Metadata;
  readonly plan: string;
  /** Reads the source as it is now. */
  readonly readSource: (plan: Plan) => Promise<Catalog>;
  readonly prove: Prove;
}

/** What a worker knows of a run's source; made anew where a procedure is tried again. */
interface Analysis {
  readonly plan: Plan;
  readonly catalog: Catalog;
  readonly translations: ReadonlyMap<string, Translation>;
}

export function batchPhases(tools: PhaseTools): BatchWork {
  let known: Analysis | null = null;
  return async (claim) => {
    const analysis = await discover(tools, claim, known);
    known = analysis;
    await analyse(claim, analysis);
    await translatePhase(claim, analysis);
    await build(tools, claim, analysis);
    await prove(tools, claim, analysis);
    await record(tools, claim);
  };
}

async function discover(
  { metadata, plan: name, readSource }: PhaseTools,
  claim: Claim,
  known: Analysis | null,
): Promise<Analysis> {
  const begun = claim.before('discover');
  const { parsed: plan } = await readRecordedRun(metadata, name);
  const decided = new Set((await metadata.decisions(name)).map(({ id }) => id));
  let analysis = known;
  if (begun.some(({ id }) => decided.has(id))) {
    // A person looked at it since, and may have mended it in the source or in the plan.
    const catalog = await readSource(plan);
    await metadata.saveCatalog(name, JSON.stringify(catalog));
    analysis = await analysisOf(plan, catalog);
  }
  analysis ??= await analysisOf(plan, await readCatalog(metadata, name));
  const present = new Set(analysis.catalog.routines.map(routineId));
  await claim.finish(
    begun
      .filter(({ id }) => !present.has(id))
      .map(({ id }) => ({
        id,
        proof: null,
        failure: 'The source has no such procedure any more: skip it, or take it out of the plan.',
      })),
  );
  await claim.mark('discover', claim.before('discover'));
  return analysis;
}

async function analysisOf(plan: Plan, catalog: Catalog): Promise<Analysis> {
  const translations = await translateIncluded(plan, catalog);
  return {
    plan,
    catalog,
    translations: new Map(translations.map((translation) => [translation.routine, translation])),
  };
}

/** Every parameter must get a value, from the plan or by its DEFAULT. */
async function analyse(claim: Claim, { plan, translations }: Analysis): Promise<void> {
  const planned = new Map(plan.procedures.map((procedure) => [procedure.id, procedure]));
  const failures = claim.before('analyse').flatMap(({ id }): Outcome[] => {
    const procedure = planned.get(id);
    if (procedure === undefined) return [];
    const parameters = translations.get(id)?.parameters ?? [];
    const { missing, unknown } = parameterValues(procedure, plan.settings, parameters);
    const problems = [
      ...(missing.length === 0
        ? []
        : [`No value for ${missing.join(', ')}: write it into the column Arguments of the plan.`]),
      ...(unknown.length === 0 ? [] : [`It has no parameter for ${unknown.join(', ')}.`]),
    ];
    return problems.length === 0 ? [] : [{ id, proof: null, failure: problems.join(' ') }];
  });
  await claim.finish(failures);
  await claim.mark('analyse', claim.before('analyse'));
}

async function translatePhase(claim: Claim, { translations }: Analysis): Promise<void> {
  const fresh = claim.before('translate').flatMap((member) => {
    const translation = translations.get(member.id);
    return translation === undefined ? [] : [{ member, translation }];
  });
  const isRefused = ({ member, translation }: (typeof fresh)[number]): boolean =>
    translation.outcome === 'refused' && member.state.route === 'automatic';
  await claim.finish(
    fresh.filter(isRefused).map(({ member: { id }, translation }) => {
      const verdict = refusedVerdict(translation);
      return {
        id,
        proof: 'refused',
        failure: failureText(verdict),
        artifacts: [
          json('translation', translation),
          json('verdict', verdict),
          { kind: 'file', contents: new Map() },
        ],
      };
    }),
  );
  await claim.mark(
    'translate',
    fresh
      .filter((one) => !isRefused(one))
      .map(({ member: { id }, translation }) => ({
        id,
        artifacts: [json('translation', translation)],
        message: `Translated: ${translationText(translation)}.`,
      })),
  );
}

/** Writes the files of each procedure. A person's model is there already, or missing. */
async function build(tools: PhaseTools, claim: Claim, analysis: Analysis): Promise<void> {
  const begun = claim.before('build');
  const translations = await storedTranslations(tools, begun.filter(isAutomatic));
  const works: Work[] = [];
  const faults: Outcome[] = [];
  for (const [id, translation] of translations) {
    try {
      works.push({ id, artifacts: [{ kind: 'file', contents: ownFiles(analysis, translation) }] });
    } catch (error) {
      faults.push({ id, proof: 'error', failure: faultText(error) });
    }
  }
  const manual = begun.filter((member) => !isAutomatic(member)).map(({ id }) => id);
  const models = await tools.metadata.artifacts(tools.plan, { ids: manual, kinds: ['file'] });
  const brought = new Set(models.map(({ id }) => id));
  const missing = manual.filter((id) => !brought.has(id));
  await claim.finish([...faults, ...missing.map((id) => noModel(id, analysis))]);
  await claim.mark('build', works);
  await claim.mark('build', claim.before('build'));
}

function isAutomatic({ state }: RunMember): boolean {
  return state.route === 'automatic';
}

function noModel(id: string, { plan, translations }: Analysis): Outcome {
  const tables = (translations.get(id)?.writes ?? []).map(qualified).join(', ');
  const { name, production } = plan.settings;
  return {
    id,
    proof: null,
    failure:
      `On the branch sprocket/${name} no model in ${production.project}/models builds ` +
      `${tables === '' ? 'its tables' : tables}. Commit one whose config names the schema and ` +
      'the alias (or whose file has the name of the table), then retry.',
  };
}

/** Models, with their YAML, that come from one procedure alone. */
function ownFiles(
  { plan, catalog }: Analysis,
  translation: Translation,
): ReadonlyMap<string, string> {
  const translations = [translation];
  const knowledge = { plan, peoples: new Map(), unitTests: new Map() };
  const options = projectOptions(knowledge, translations);
  const project = renderProject({ catalog, translations, options });
  const models = project.models.filter(({ routine }) => routine === translation.routine);
  const names = new Set(models.map(({ path }) => withoutExtension(path)));
  const files = project.files.filter(({ path }) => names.has(withoutExtension(path)));
  return new Map(files.map(({ path, text }) => [path, text]));
}

function withoutExtension(path: string): string {
  return path.replace(/\.[^./]*$/u, '');
}

async function prove(tools: PhaseTools, claim: Claim, analysis: Analysis): Promise<void> {
  const begun = claim.before('prove');
  if (begun.length === 0) return;
  const { plan, catalog } = analysis;
  const members = await tools.metadata.members(tools.plan);
  const stored = await storedTranslations(tools, claim.open);
  const translations = [...members.keys()].flatMap(
    (id) => stored.get(id) ?? analysis.translations.get(id) ?? [],
  );
  const begunIds = begun.map(({ id }) => id);
  const concerned = withCalled(translations, begunIds);
  const manual = [...members.values()].filter(
    (each) => concerned.has(each.id) && !isAutomatic(each),
  );
  const { handwritten, unprovable } = await handwrittenModels(
    tools,
    analysis,
    manual.map(({ id }) => id),
  );
  const ids = begunIds.filter((id) => !unprovable.has(id));
  await claim.mark(
    'prove',
    [...unprovable]
      .filter(([id]) => begunIds.includes(id))
      .map(([id, verdict]) => ({
        id,
        artifacts: [json('verdict', verdict), json('unit-tests', [])],
        message: verdictText(verdict),
      })),
  );
  if (ids.length === 0) return;
  const signal = claim.interruption;
  const request = { plan, catalog, members, translations, ids, handwritten, signal };
  await claim.log('info', ids, 'Proving.');
  const results = await proveApart(tools.prove, request);
  await claim.mark(
    'prove',
    [...results].map(([id, { verdict, unitTests }]) => ({
      id,
      artifacts: [json('verdict', verdict), json('unit-tests', unitTests)],
      message: verdictText(verdict),
    })),
  );
}

/** Where a batch as a whole can't be proven, one of it may be the reason: each by itself then. */
async function proveApart(
  run: Prove,
  request: ProofRequest,
): Promise<ReadonlyMap<string, ProofResult>> {
  try {
    return await run(request);
  } catch (error) {
    if (request.signal.aborted || isEnvironment(error)) throw withAdvice(error);
    const [only] = request.ids;
    if (request.ids.length === 1 && only !== undefined) {
      return new Map([[only, { verdict: faultVerdict(only, faultText(error)), unitTests: [] }]]);
    }
  }
  const results = new Map<string, ProofResult>();
  for (const id of request.ids) {
    for (const [each, result] of await proveApart(run, { ...request, ids: [id] })) {
      results.set(each, result);
    }
  }
  return results;
}

function faultText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `A fault of Sprocket's own: ${message}. Please report it; a model of your own or "skip" helps until then.`;
}

async function record({ metadata, plan }: PhaseTools, claim: Claim): Promise<void> {
  const ids = claim.open.map(({ id }) => id);
  const artifacts = await metadata.artifacts(plan, { ids, kinds: ['verdict'] });
  await claim.finish(
    artifacts.map(({ id, content }) => {
      const verdict = parseVerdict(content);
      return { id, proof: verdict.outcome, failure: failureText(verdict) };
    }),
  );
}

async function storedTranslations(
  { metadata, plan }: PhaseTools,
  members: readonly RunMember[],
): Promise<ReadonlyMap<string, Translation>> {
  if (members.length === 0) return new Map();
  const ids = members.map(({ id }) => id);
  const artifacts = await metadata.artifacts(plan, { ids, kinds: ['translation'] });
  return new Map(artifacts.map(({ id, content }) => [id, parseTranslation(content)]));
}

function json(kind: ArtifactKind, value: unknown): Omit<ArtifactSet, 'id'> {
  return { kind, contents: new Map([['', JSON.stringify(value)]]) };
}
