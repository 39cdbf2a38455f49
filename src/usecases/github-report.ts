/** Writes a run's progress to GitHub: check run and monitor issue, from one reading of the tables. */
import type { RunSituation } from '../core/checkrun/buttons.ts';
import { formatExternalId, parseExternalId } from '../core/checkrun/launch.ts';
import type { RunPayload } from '../core/checkrun/launch.ts';
import { monitorBody, readMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { runCheck } from '../core/checkrun/run-check.ts';
import type { RunLinks, RunView } from '../core/checkrun/run-check.ts';
import type { Instant } from '../core/lifecycle/state.ts';
import type { Plan } from '../core/plan/types.ts';
import { markdownText } from '../core/report/markdown.ts';
import type { CheckRun, GitHub, Issue } from '../ports/github.ts';
import type { Metadata } from '../ports/metadata.ts';
import type { StatusBranch } from '../ports/repository.ts';
import type { GitHubContext } from './github-context.ts';
import { runBranch } from './run-knowledge.ts';
import { statusWriter } from './github-status-file.ts';
import { statusReader } from './status.ts';
import type { RunStatus } from './status.ts';

/** Milliseconds between two updates of the whole run, whatever the number of its workers. */
export const REPORT_INTERVAL = 10_000;

export interface ReportOptions {
  readonly metadata: Metadata;
  readonly plan: Plan;
  /** Path of the plan in the repository. */
  readonly path: string;
  /** What the job was asked with: where progress is shown. */
  readonly payload: Pick<RunPayload, 'run' | 'sha' | 'check_run' | 'issue'>;
  readonly workflowUrl: string | null;
  /** Where plan.md shows its Status columns; null where somebody else writes them. */
  readonly branch: StatusBranch | null;
  /** Milliseconds between two reports of the run; default 10 s. */
  readonly interval?: number;
}

export interface Reporter {
  /**
   * Reads and writes once, as soon as the last report is old enough. `over` is what the run has come
   * to; null while workers may be alive.
   */
  report(over: RunSituation | null): Promise<RunStatus | null>;
}

/** Lines of the run's own log that are looked through for who paused it and why. */
const PEOPLE = /^(?:Paused|Stopped|Resumed) by /u;

export function reporter(context: GitHubContext, options: ReportOptions): Reporter {
  const { github, clock } = context;
  const { metadata, plan, payload } = options;
  const name = plan.settings.name;
  const reader = statusReader(metadata, clock, name);
  const logs = new Map<string, string[]>();
  const statuses = statusWriter(context.clock, options);
  let seen = 0;
  let notice: string | null = null;

  /** Log lines since the last look. */
  async function readLogs(): Promise<void> {
    for (const line of await metadata.logs(name, { after: seen })) {
      seen = Math.max(seen, line.number);
      if (line.id !== null) {
        const lines = logs.get(line.id) ?? [];
        lines.push(`${line.at.slice(11, 19)} ${line.message}`);
        logs.set(line.id, lines.slice(-100));
      } else if (PEOPLE.test(line.message)) {
        notice = `${line.message} (${line.at.slice(0, 19).replace('T', ' ')} UTC)`;
      }
    }
  }

  async function waitSince(reported: Instant | null): Promise<void> {
    if (reported === null) return;
    const age = Date.parse(clock.now()) - Date.parse(reported);
    const rest = (options.interval ?? REPORT_INTERVAL) - age;
    if (rest > 0) await clock.sleep(rest);
  }

  return {
    async report(over) {
      const monitor = payload.issue === null ? null : await github.issue(payload.issue);
      const marker = monitor === null ? null : readMarker(monitor.body);
      await waitSince(marker?.reported ?? null);
      const status = await reader.read();
      if (status === null) return null;
      await readLogs();
      const situation = over ?? situationOf(status);
      const check = await currentCheck(context, name, marker ?? markerOf(options), situation);
      const view: RunView = {
        plan,
        path: options.path,
        progress: status.progress,
        situation,
        now: clock.now(),
        logs,
        notice: status.progress.action === 'RUN' && situation === 'running' ? null : notice,
        links: await linksOf(context, options, {
          monitor: monitor?.url ?? null,
          check: check.url,
          workflow: options.workflowUrl ?? check.detailsUrl,
          pullRequest: marker?.pull_request ?? null,
        }),
      };
      const content = runCheck(view);
      // GitHub adds annotations to those that are there: a check run gets them once, when it ends.
      const annotations = check.wasOver ? [] : content.annotations;
      await github.updateCheck(check.id, { ...content, annotations });
      if (monitor !== null) await writeMonitor(context, monitor, check, view, marker, options);
      await statuses.write(status);
      return status;
    },
  };
}

/** Writes the issue over what people may have ticked a moment ago: it is read again right before. */
async function writeMonitor(
  { github, clock }: GitHubContext,
  { number, body }: Issue,
  check: CurrentCheck,
  view: RunView,
  known: MonitorMarker | null,
  options: ReportOptions,
): Promise<void> {
  const current = (await github.issue(number))?.body ?? body;
  const latest = readMarker(current) ?? known ?? (await restoredMarker(github, options));
  if (latest === null) return;
  const kept = {
    ...latest,
    check_run: check.id,
    attempt: check.attempt,
    reported: clock.now(),
  };
  await github.updateIssue(number, { body: monitorBody(kept, view, current) });
}

/** What the job knows of the run, where a person took the line out of the issue that holds it. */
function markerOf({ payload, plan }: ReportOptions): MonitorMarker {
  const { run, sha, check_run: check } = payload;
  return {
    plan: plan.settings.name,
    run,
    sha,
    blob: sha,
    check_run: check,
    attempt: 0,
    leg: 1,
    resumed: 0,
    pull_request: null,
    reported: null,
  };
}

async function restoredMarker(
  github: GitHub,
  options: ReportOptions,
): Promise<MonitorMarker | null> {
  const file = await github.file(options.payload.sha, options.path);
  return file === null ? null : { ...markerOf(options), blob: file.blob };
}

/** How the run stands while workers may be alive. */
export function situationOf({ progress, summary, workers }: RunStatus): RunSituation {
  if (summary.state === 'done') return 'done';
  if (progress.action === 'STOP') return 'stopped';
  if (progress.action === 'PAUSE') return 'paused';
  return summary.state === 'needs a person' && workers === 0 ? 'needs a person' : 'running';
}

interface CurrentCheck {
  readonly id: number;
  readonly attempt: number;
  readonly url: string | null;
  readonly detailsUrl: string | null;
  /** It was completed before this report. */
  readonly wasOver: boolean;
}

/**
 * The check run that shows the run now. One that was lost is found by its `external_id`; a completed
 * one can't be opened again, so that a run that goes on gets another one.
 */
async function currentCheck(
  { github }: GitHubContext,
  plan: string,
  marker: MonitorMarker,
  situation: RunSituation,
): Promise<CurrentCheck> {
  const { run, sha } = marker;
  const known = marker.check_run === null ? null : await github.check(marker.check_run);
  const found = known ?? (await lastCheckOf(github, sha, run));
  const parsed = found === null ? null : parseExternalId(found.externalId);
  const attempt = parsed?.kind === 'run' ? parsed.attempt : marker.attempt;
  const goesOn = situation === 'running' || situation === 'paused';
  const wasOver = found?.state.status === 'completed';
  if (found !== null && !(goesOn && wasOver)) {
    return { id: found.id, attempt, url: found.url, detailsUrl: found.detailsUrl, wasOver };
  }
  const next = attempt + 1;
  const made = await github.createCheck(
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
  return { id: made.id, attempt: next, url: made.url, detailsUrl: null, wasOver: false };
}

async function lastCheckOf(github: GitHub, sha: string, run: string): Promise<CheckRun | null> {
  const own = (await github.checksOf(sha)).filter(({ externalId }) => {
    const id = parseExternalId(externalId);
    return id?.kind === 'run' && id.run === run;
  });
  return own.at(-1) ?? null;
}

async function linksOf(
  { github }: GitHubContext,
  { plan }: ReportOptions,
  known: Omit<RunLinks, 'branch'>,
): Promise<RunLinks> {
  const root = known.monitor?.replace(/\/issues\/\d+$/u, '') ?? (await github.repository()).url;
  return { ...known, branch: `${root}/tree/${runBranch(plan)}` };
}
