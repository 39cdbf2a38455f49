/** Finds what webhooks did not tell: missed pushes, launches that never began, runs that died. */
import { buttonsFor } from '../core/checkrun/buttons.ts';
import { MOST_RESUMED, parseWorkflowRunName } from '../core/checkrun/launch.ts';
import type { CheckContent } from '../core/checkrun/types.ts';
import type { WorkflowRun } from '../ports/github.ts';
import { monitors, readSettings } from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { dispatchRun, launch, reportNotStarted } from './github-launch.ts';

export interface Reconciled {
  readonly launched: number;
  readonly notStarted: number;
  readonly interrupted: number;
}

/** Brings one repository in order; safe to run at any time and by several servers. */
export async function reconcile(context: GitHubContext): Promise<Reconciled> {
  const { github } = context;
  const found = await monitors(github);
  if (found.length === 0) return { launched: 0, notStarted: 0, interrupted: 0 };
  const repository = await github.repository();
  const { plan } = await readSettings(github, repository);
  const head = await github.commitOf(repository.defaultBranch);
  const file = head === null ? null : await github.file(head, plan);
  const isMissed = file !== null && found.every(({ marker }) => marker.blob !== file.blob);
  const launched = head !== null && isMissed ? await launch(context, head, { again: false }) : null;
  let notStarted = 0;
  let interrupted = 0;
  for (const monitor of found) {
    const { check_run: check, run, sha, leg } = monitor.marker;
    const state = check === null ? null : await github.check(check);
    if (check === null || state === null || state.state.status === 'completed') continue;
    if (leg === 0) {
      await launch(context, sha, { again: false });
      continue;
    }
    if (await reportNotStarted(context, { run, check })) {
      notStarted += 1;
      continue;
    }
    const runs = await github.dispatchedRuns(state.startedAt ?? context.clock.now());
    const last = runs.find(({ title }) => {
      const named = parseWorkflowRunName(title);
      return named?.id === run && named.leg === leg;
    });
    if (last?.status === 'completed' && (await onEnd(context, monitor, last))) interrupted += 1;
  }
  return { launched: launched?.kind === 'launched' ? 1 : 0, notStarted, interrupted };
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

/** Resumes an interrupted run, or shows it as interrupted; false where it came to its end. */
async function onEnd(
  context: GitHubContext,
  monitor: Monitor,
  ended: WorkflowRun,
): Promise<boolean> {
  const { github } = context;
  const { check_run: check, leg, resumed } = monitor.marker;
  const state = check === null ? null : await github.check(check);
  if (check === null || state === null || state.state.status === 'completed') return false;
  // Who cancels a workflow means it: then only a person resumes.
  const goesOn = ended.conclusion !== 'cancelled' && resumed < MOST_RESUMED;
  await github.updateCheck(check, interruptedCheck(ended, goesOn ? resumed + 1 : null));
  if (goesOn) await dispatchRun(context, monitor, leg + 1, resumed + 1);
  return true;
}

function interruptedCheck(ended: WorkflowRun, resumption: number | null): CheckContent {
  const what = `The [workflow run](${ended.url}) ended with \`${ended.conclusion ?? 'nothing'}\` before the run was finished.`;
  const next =
    resumption === null
      ? 'Nothing is lost: press Resume, or comment `/resume`, and it goes on from where it stood.'
      : `It goes on by itself, for the ${resumption}. of ${MOST_RESUMED} times.`;
  return {
    state:
      resumption === null
        ? { status: 'completed', conclusion: 'failure' }
        : { status: 'in_progress' },
    title: resumption === null ? 'Interrupted' : 'Interrupted, going on',
    summary: `${what}\n\n${next}`,
    text: null,
    annotations: [],
    buttons: buttonsFor(resumption === null ? 'interrupted' : 'running', 0),
    detailsUrl: ended.url,
  };
}
