/** The plan that a job is about, read from the repository at the commit that was launched. */
import type { z } from 'zod';
import { readSettings } from '../src/usecases/github-context.ts';
import type { GitHubContext } from '../src/usecases/github-context.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import type { Plan } from '../src/core/plan/types.ts';
import { JobError } from './runner.ts';
import type { RunnerEvent } from './runner.ts';

export interface PlanOfRun {
  readonly plan: Plan;
  readonly text: string;
  readonly path: string;
}

export async function readPlanAt({ github }: GitHubContext, sha: string): Promise<PlanOfRun> {
  const { plan: path } = await readSettings(github, await github.repository());
  const file = await github.file(sha, path);
  if (file === null) throw new JobError(`There is no ${path} at ${sha}.`);
  const { plan, problems } = parsePlan(file.text);
  if (plan === null) {
    const list = problems.map(({ line, message }) => `${path}:${line}: ${message}`);
    throw new JobError(`The plan can't be used:\n${list.join('\n')}`);
  }
  return { plan, text: file.text, path };
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
