/** The check run that shows a run now. */
import type { RunSituation } from '../core/checkrun/buttons.ts';
import { formatExternalId, parseExternalId } from '../core/checkrun/launch.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { markdownText } from '../core/report/markdown.ts';
import type { CheckRun, GitHub } from '../ports/github.ts';
import { createCheckOnce } from './github-check-once.ts';
import type { GitHubContext } from './github-context.ts';

export interface CurrentCheck {
  readonly id: number;
  readonly attempt: number;
  readonly url: string | null;
  readonly detailsUrl: string | null;
  /** It was completed before. */
  readonly wasOver: boolean;
  /** It had to be looked for or made, which takes its time. */
  readonly isSought: boolean;
}

/**
 * `known.check`, where it is still there. One that was lost is found by its `external_id`; a
 * completed one can't be opened again, so that a run that goes on gets another one.
 */
export async function currentCheck(
  { github }: GitHubContext,
  plan: string,
  known: { readonly check: CheckRun | null; readonly marker: MonitorMarker },
  situation: RunSituation,
): Promise<CurrentCheck> {
  const { run, sha } = known.marker;
  const found = known.check ?? (await lastCheckOf(github, sha, run));
  const parsed = found === null ? null : parseExternalId(found.externalId);
  const attempt = parsed?.kind === 'run' ? parsed.attempt : known.marker.attempt;
  const goesOn = situation === 'running' || situation === 'paused';
  const wasOver = found?.state.status === 'completed';
  if (found !== null && !(goesOn && wasOver)) {
    const { id, url, detailsUrl } = found;
    return { id, attempt, url, detailsUrl, wasOver, isSought: known.check === null };
  }
  const next = attempt + 1;
  const made = await createCheckOnce(
    github,
    sha,
    formatExternalId({ kind: 'run', run, attempt: next }),
    {
      state: { status: 'in_progress' },
      title: 'Going on',
      summary: `The run of ${markdownText(plan)} goes on.`,
      text: null,
      annotations: [],
      buttons: [],
      detailsUrl: null,
    },
  );
  const { id, url } = made;
  return { id, attempt: next, url, detailsUrl: null, wasOver: false, isSought: true };
}

async function lastCheckOf(github: GitHub, sha: string, run: string): Promise<CheckRun | null> {
  const own = (await github.checksOf(sha)).filter(({ externalId }) => {
    const id = parseExternalId(externalId);
    return id?.kind === 'run' && id.run === run;
  });
  return own.at(-1) ?? null;
}
