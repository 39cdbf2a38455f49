/** A launch that came to nothing, of which GitHub says nothing. */
import { buttonsFor } from '../core/checkrun/buttons.ts';
import { parseWorkflowRunName, RUN_EVENT, START_MINUTES } from '../core/checkrun/launch.ts';
import type { CheckContent } from '../core/checkrun/types.ts';
import type { GitHubContext } from './github-context.ts';

/** Says "not started" on the check run of a dispatch that no workflow took up. */
export async function reportNotStarted(
  { github, clock }: GitHubContext,
  { run, check }: { readonly run: string; readonly check: number },
): Promise<boolean> {
  const found = await github.check(check);
  if (found === null || found.state.status !== 'queued') return false;
  const since = found.startedAt ?? clock.now();
  const waited = Date.parse(clock.now()) - Date.parse(since);
  if (waited < START_MINUTES * 60_000 - 1_000) return false;
  const runs = await github.dispatchedRuns(since);
  if (runs.some(({ title }) => parseWorkflowRunName(title)?.id === run)) return false;
  await github.updateCheck(check, NOT_STARTED);
  return true;
}

const NOT_STARTED: CheckContent = {
  state: { status: 'completed', conclusion: 'action_required' },
  title: 'Not started: no workflow took up the launch',
  summary: [
    `Sprocket sent \`repository_dispatch\` with the type \`${RUN_EVENT}\`, and no workflow started within ${START_MINUTES} minutes.`,
    '',
    '- Is `.github/workflows/sprocket.yml` on the **default branch**? GitHub starts dispatches only from there. The onboarding pull request of Sprocket adds it.',
    '- Are GitHub Actions allowed for this repository (Settings, Actions, General), and is the workflow enabled (Actions, Sprocket)?',
    '- Are there Actions minutes left, and a runner for the labels in `runs-on`?',
    '',
    'Then press Launch, or comment `/launch`.',
  ].join('\n'),
  text: null,
  annotations: [],
  buttons: buttonsFor('launchable', 0),
  detailsUrl: null,
};
