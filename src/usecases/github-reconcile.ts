/** Finds what webhooks did not tell: missed pushes and plans, launches that never began, runs that died. */
import { parseWorkflowRunName, planChanged } from '../core/checkrun/launch.ts';
import type { WorkflowRun } from '../ports/github.ts';
import { monitors, readPlans } from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { onEnd } from './github-interrupted.ts';
import { launch } from './github-launch.ts';
import { reportNotStarted } from './github-not-started.ts';
import { checkPullRequest } from './github-pull-request.ts';

export interface Reconciled {
  readonly launched: number;
  readonly checked: number;
  readonly notStarted: number;
  readonly interrupted: number;
}

/** GitHub gives a lost delivery again for so long; what is older was not missed by us. */
const MISSED = 3 * 86_400_000;

/** Brings one repository in order; safe to run at any time and by several servers. */
export async function reconcile(context: GitHubContext): Promise<Reconciled> {
  const { github } = context;
  const found = await monitors(github);
  const launched = (await launchMissed(context, found)) ? 1 : 0;
  let checked = 0;
  for (const { number, updatedAt } of await github.openPulls()) {
    if (ageOf(context, updatedAt) > MISSED) break;
    if (await checkPullRequest(context, number)) checked += 1;
  }
  let notStarted = 0;
  let interrupted = 0;
  for (const monitor of found) {
    const outcome = await look(context, monitor);
    if (outcome === 'not started') notStarted += 1;
    if (outcome === 'interrupted') interrupted += 1;
  }
  return { launched, checked, notStarted, interrupted };
}

/** Launches the plan of the default branch where the push that brought it was not heard. */
async function launchMissed(context: GitHubContext, found: readonly Monitor[]): Promise<boolean> {
  const { github } = context;
  const repository = await github.repository();
  const head = await github.commitOf(repository.defaultBranch);
  if (head === null) return false;
  const {
    path,
    files: [file = null, ...launched],
  } = await readPlans(github, [head, ...found.map(({ marker }) => marker.sha)]);
  if (file === null) return false;
  const isKnown =
    found.some(({ marker }) => marker.blob === file.blob) ||
    launched.some((each) => each !== null && !planChanged(each, file));
  if (isKnown) return false;
  // Nothing ran here yet, or something else did: a plan that was there before us was not missed.
  const changed = await github.lastChange(head, path);
  const age = changed === null ? Infinity : ageOf(context, changed.at);
  if (changed === null || age > MISSED) return false;
  if ((await github.checksOf(changed.sha)).length > 0) return false;
  return (await launch(context, head, { again: false })).kind === 'launched';
}

async function look(
  context: GitHubContext,
  monitor: Monitor,
): Promise<'in order' | 'not started' | 'interrupted'> {
  const { github, clock } = context;
  const { check_run: check, run, sha, leg } = monitor.marker;
  const state = check === null ? null : await github.check(check);
  if (check === null || state === null || state.state.status === 'completed') return 'in order';
  if (leg === 0) {
    await launch(context, sha, { again: false });
    return 'in order';
  }
  if (await reportNotStarted(context, { run, check })) return 'not started';
  const runs = await github.dispatchedRuns(state.startedAt ?? clock.now());
  const last = runs.find(({ title }) => {
    const named = parseWorkflowRunName(title);
    return named?.id === run && named.leg === leg;
  });
  const ended = last?.status === 'completed' && (await onEnd(context, monitor, last));
  return ended ? 'interrupted' : 'in order';
}

/** After a workflow run ended: whether it was a run's, and left it unfinished. */
export async function onWorkflowEnded(
  context: GitHubContext,
  ended: WorkflowRun,
): Promise<boolean> {
  const named = parseWorkflowRunName(ended.title);
  if (named === null || named.leg === null) return false;
  const monitor = (await monitors(context.github)).find(({ marker }) => marker.run === named.id);
  // A later leg was asked for already: this one's end means nothing.
  if (monitor === undefined || monitor.marker.leg !== named.leg) return false;
  return onEnd(context, monitor, ended);
}

function ageOf({ clock }: GitHubContext, at: string): number {
  return Date.parse(clock.now()) - Date.parse(at);
}
