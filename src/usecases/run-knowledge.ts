/** Reads what the tables and the branch hold of a run. */
import { z } from 'zod';
import type { Catalog } from '../core/catalog/types.ts';
import type { RunKnowledge } from '../core/lifecycle/branch.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { Plan } from '../core/plan/types.ts';
import type { ModelUnitTest } from '../core/project/types.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import type { MigrationDecision } from '../core/report/migration-types.ts';
import type { Translation } from '../core/translate/types.ts';
import { MetadataError } from '../ports/metadata.ts';
import type { Artifact, ArtifactKind, Metadata, RunRecord } from '../ports/metadata.ts';
import type { RunRepository } from '../ports/repository.ts';

export interface RecordedRun extends RunRecord {
  /** The plan as the run last read it. */
  readonly parsed: Plan;
}

/** Throws `MetadataError` where the plan was never started. */
export async function readRecordedRun(metadata: Metadata, plan: string): Promise<RecordedRun> {
  const run = await metadata.run(plan);
  const parsed = run === null ? null : parsePlan(run.planText).plan;
  if (run === null || parsed === null) {
    throw new MetadataError(
      'unknown-run',
      `The plan "${plan}" has no run.`,
      'Start it with "sprocket run".',
    );
  }
  return { ...run, parsed };
}

const RUN_BRANCHES = 'sprocket/';

/** Name of the branch that a plan's run writes. */
export function runBranch({ settings }: Plan): string {
  return `${RUN_BRANCHES}${settings.name}`;
}

export function isRunBranch(branch: string): boolean {
  return branch.startsWith(RUN_BRANCHES);
}

/** All that is known of the run; people's files come from its branch. */
export async function readKnowledge(
  metadata: Metadata,
  repository: RunRepository,
  run: RecordedRun,
): Promise<RunKnowledge> {
  const { parsed: plan, baseCommit } = run;
  const folder = plan.settings.production.project;
  const artifacts = await metadata.artifacts(run.plan, {
    kinds: ['translation', 'verdict', 'unit-tests'],
  });
  const peoples = await repository.readPeoples(runBranch(plan), baseCommit, folder);
  return {
    plan,
    catalog: await readCatalog(metadata, run.plan),
    members: await metadata.members(run.plan),
    translations: parsed(artifacts, 'translation', parseTranslation),
    verdicts: parsed(artifacts, 'verdict', parseVerdict),
    unitTests: parsed(artifacts, 'unit-tests', parseUnitTests),
    decisions: await readDecisions(metadata, run.plan),
    peoples: new Map(
      [...peoples].map(([path, text]) => [path.slice(folder === '' ? 0 : folder.length + 1), text]),
    ),
  };
}

/** The catalog that the run works with. */
export async function readCatalog(metadata: Metadata, plan: string): Promise<Catalog> {
  const text = await metadata.catalog(plan);
  return catalogSchema.parse(JSON.parse(text ?? 'null'));
}

async function readDecisions(
  metadata: Metadata,
  plan: string,
): Promise<ReadonlyMap<string, MigrationDecision>> {
  const decisions = await metadata.decisions(plan);
  return new Map(
    decisions.flatMap(({ id, decision, person, at, reason }) =>
      decision === 'retry' ? [] : [[id, { kind: decision, by: person, at, reason }]],
    ),
  );
}

function parsed<T>(
  artifacts: readonly Artifact[],
  kind: ArtifactKind,
  parse: (content: string) => T,
): ReadonlyMap<string, T> {
  return new Map(
    artifacts
      .filter((artifact) => artifact.kind === kind)
      .map(({ id, content }) => [id, parse(content)]),
  );
}

// These were written by this program into tables of its own: what is checked is that they are
// there and whole, not every field.
const catalogSchema = z.custom<Catalog>(
  (value) =>
    z.looseObject({ routines: z.array(z.unknown()), dialect: z.string() }).safeParse(value).success,
);
const translationSchema = z.custom<Translation>(
  (value) =>
    z
      .looseObject({ routine: z.string(), outcome: z.string(), models: z.array(z.unknown()) })
      .safeParse(value).success,
);
const verdictSchema = z.custom<ProofVerdict>(
  (value) =>
    z
      .looseObject({ name: z.string(), outcome: z.string(), reasons: z.array(z.unknown()) })
      .safeParse(value).success,
);
const unitTestsSchema = z.array(
  z.custom<ModelUnitTest>(
    (value) =>
      z.looseObject({ name: z.string(), given: z.array(z.unknown()) }).safeParse(value).success,
  ),
);

export function parseTranslation(content: string): Translation {
  return translationSchema.parse(JSON.parse(content));
}

export function parseVerdict(content: string): ProofVerdict {
  return verdictSchema.parse(JSON.parse(content));
}

function parseUnitTests(content: string): readonly ModelUnitTest[] {
  return unitTestsSchema.parse(JSON.parse(content));
}
