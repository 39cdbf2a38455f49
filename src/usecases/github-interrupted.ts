/** A workflow run that ended before its run of a plan did. */
import { buttonsFor } from '../core/checkrun/buttons.ts';
import { fitLine, fitMarkdown } from '../core/checkrun/fit.ts';
import { MOST_RESUMED } from '../core/checkrun/launch.ts';
import { CHECK_TEXT, CHECK_TITLE } from '../core/checkrun/limits.ts';
import { withNotice } from '../core/checkrun/monitor.ts';
import type { CheckContent } from '../core/checkrun/types.ts';
import type { CheckRun, WorkflowRun } from '../ports/github.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { dispatchRun } from './github-launch.ts';

/** Resumes an interrupted run, or shows it as interrupted; false where it came to its end. */
export async function onEnd(
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
  const resumption = goesOn ? resumed + 1 : null;
  await github.updateCheck(check, interruptedCheck(state, ended, resumption));
  const issue = await github.issue(monitor.issue.number);
  if (issue !== null) {
    await github.updateIssue(issue.number, {
      body: withNotice(issue.body, noticeOf(ended, resumption)),
    });
  }
  if (goesOn) await dispatchRun(context, monitor, leg + 1, resumed + 1);
  return true;
}

/** What was shown last stays: nobody can read the tables from here, and nobody works on them. */
function interruptedCheck(
  { title, summary }: CheckRun,
  ended: WorkflowRun,
  resumption: number | null,
): CheckContent {
  const counts = (title ?? '').replace(/^(?:Interrupted, going on|[A-Z][a-z ]+): /u, '');
  const word = resumption === null ? 'Interrupted' : 'Interrupted, going on';
  const before = (summary ?? '').replace(/^⚠️ [^\n]*\n\n/u, '');
  return {
    state:
      resumption === null
        ? { status: 'completed', conclusion: 'failure' }
        : { status: 'in_progress' },
    title: fitLine(counts === '' ? word : `${word}: ${counts}`, CHECK_TITLE),
    summary: fitMarkdown(`${noticeOf(ended, resumption)}\n\n${before}`, CHECK_TEXT, '…'),
    text: null,
    annotations: [],
    buttons: buttonsFor(resumption === null ? 'interrupted' : 'running', 0),
    detailsUrl: ended.url,
  };
}

function noticeOf(ended: WorkflowRun, resumption: number | null): string {
  const what = `⚠️ The [workflow run](${ended.url}) ended with \`${ended.conclusion ?? 'nothing'}\` before the run was finished.`;
  return resumption === null
    ? `${what} Nothing is lost: press Resume, or comment \`/resume\`, and it goes on from where it stood.`
    : `${what} It goes on by itself, for the ${resumption}. of ${MOST_RESUMED} times.`;
}
