/** What the workflow's schedule does: asks for runs to go on that were interrupted unseen. */
import { MOST_RESUMED, parseWorkflowRunName } from '../core/checkrun/launch.ts';
import { monitors } from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { dispatchRun } from './github-launch.ts';

/** Gives the plans whose runs were asked to go on. */
export async function resumeInterrupted(context: GitHubContext): Promise<readonly string[]> {
  const resumed: string[] = [];
  for (const monitor of await monitors(context.github)) {
    if (!(await isInterrupted(context, monitor))) continue;
    const { leg, resumed: before, plan } = monitor.marker;
    await dispatchRun(context, monitor, leg + 1, before + 1);
    resumed.push(plan);
  }
  return resumed;
}

/** Open, and no workflow run works on it or waits to; and it did not go on by itself too often. */
async function isInterrupted(
  { github, clock }: GitHubContext,
  { marker }: Monitor,
): Promise<boolean> {
  const { check_run: check, run, resumed } = marker;
  if (check === null || resumed >= MOST_RESUMED) return false;
  const found = await github.check(check);
  if (found === null || found.state.status === 'completed') return false;
  const runs = await github.dispatchedRuns(found.startedAt ?? clock.now());
  return !runs.some(
    ({ title, status }) => status !== 'completed' && parseWorkflowRunName(title)?.id === run,
  );
}
