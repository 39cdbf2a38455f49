/** The plan that a job is about. */
import type { z } from 'zod';
import { parseTables } from '../src/core/checkrun/job.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import type { Plan } from '../src/core/plan/types.ts';
import type { Metadata } from '../src/ports/metadata.ts';
import { readPlans } from '../src/usecases/github-context.ts';
import type { GitHubContext } from '../src/usecases/github-context.ts';
import { readRecordedRun } from '../src/usecases/run-knowledge.ts';
import { INPUTS } from './inputs.ts';
import { input, JobError } from './runner.ts';
import type { RunnerEvent } from './runner.ts';
import { openTables } from './wiring.ts';

export interface PlanOfRun {
  readonly plan: Plan;
  readonly text: string;
  readonly path: string;
}

/** From the repository, at the commit that was launched. */
export async function readPlanAt({ github }: GitHubContext, sha: string): Promise<PlanOfRun> {
  const {
    path,
    files: [file = null],
  } = await readPlans(github, [sha]);
  if (file === null) throw new JobError(`There is no ${path} at ${sha}.`);
  const { plan, problems } = parsePlan(file.text);
  if (plan === null) {
    const list = problems.map(({ line, message }) => `${path}:${line}: ${message}`);
    throw new JobError(`The plan can't be used:\n${list.join('\n')}`);
  }
  return { plan, text: file.text, path };
}

export interface RecordedPlan extends Pick<PlanOfRun, 'plan' | 'path'> {
  readonly metadata: Metadata;
}

/** From the tables, where the job before this one has recorded it; however many jobs do so, GitHub is not asked. */
export async function openRecordedPlan(): Promise<RecordedPlan> {
  const tables = parseTables(input('tables'));
  if (tables === null) {
    throw new JobError(`The input tables holds something else. ${INPUTS.tables.description}`);
  }
  const metadata = await openTables(tables);
  try {
    const { parsed } = await readRecordedRun(metadata, tables.plan);
    return { plan: parsed, path: tables.path, metadata };
  } catch (error) {
    await metadata.close();
    throw error;
  }
}

/** What a dispatch asks for: a run to work on, or a request to one. */
export function payloadOf<T>({ name, client_payload: payload }: RunnerEvent, of: z.ZodType<T>): T {
  const parsed = of.safeParse(payload);
  if (name === 'repository_dispatch' && parsed.success) return parsed.data;
  throw new JobError(
    name === 'repository_dispatch'
      ? "The dispatch is none of Sprocket's: its payload is wrong. Launch with /launch or by pushing the plan."
      : `This command works on what a repository_dispatch asks for; this is ${name}. Use the workflow that Sprocket wrote.`,
  );
}
