/** The plan that a job is about, read from the repository at the commit that was launched. */
import { readSettings } from '../src/usecases/github-context.ts';
import type { GitHubContext } from '../src/usecases/github-context.ts';
import { monitors } from '../src/usecases/github-context.ts';
import { runPayload } from '../src/core/checkrun/launch.ts';
import type { RunPayload } from '../src/core/checkrun/launch.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import type { Plan } from '../src/core/plan/types.ts';
import { JobError } from './runner.ts';
import type { RunnerEvent } from './runner.ts';
import { maskUrls, variablesOf } from './wiring.ts';

export interface PlanOfRun {
  readonly plan: Plan;
  readonly text: string;
  readonly path: string;
}

/** Reads the plan, and hides its connection URLs from the log. */
export async function readPlanAt({ github }: GitHubContext, sha: string): Promise<PlanOfRun> {
  const { plan: path } = await readSettings(github, await github.repository());
  const file = await github.file(sha, path);
  if (file === null) throw new JobError(`There is no ${path} at ${sha}.`);
  const { plan, problems } = parsePlan(file.text);
  if (plan === null) {
    const list = problems.map(({ line, message }) => `${path}:${line}: ${message}`);
    throw new JobError(`The plan can't be used:\n${list.join('\n')}`);
  }
  maskUrls(variablesOf(plan));
  return { plan, text: file.text, path };
}

/**
 * What a dispatch asks for; on a schedule, the run that the monitor issue remembers. Null where there
 * is nothing to resume.
 */
export async function runOfEvent(
  { github }: GitHubContext,
  event: RunnerEvent,
): Promise<RunPayload | null> {
  if (event.name === 'repository_dispatch') {
    const parsed = runPayload.safeParse(event.client_payload);
    if (!parsed.success)
      throw new JobError('The dispatch is none of Sprocket: its payload is wrong.');
    return parsed.data;
  }
  for (const { issue, marker } of await monitors(github)) {
    const { run, sha, check_run: check, leg, resumed } = marker;
    const state = check === null ? null : await github.check(check);
    if (check === null || state === null || state.state.status === 'completed') continue;
    return { run, sha, check_run: check, issue: issue.number, leg: Math.max(1, leg), resumed };
  }
  return null;
}
