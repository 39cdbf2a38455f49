/** Writes a run's progress to GitHub: check run and monitor issue, from one reading of the tables. */
import { runCheck } from '../core/checkrun/run-check.ts';
import type { RunLinks, RunView } from '../core/checkrun/run-check.ts';
import type { RunSituation } from '../core/checkrun/buttons.ts';
import { formatExternalId } from '../core/checkrun/launch.ts';
import { monitorBody, readMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { markdownFence } from '../core/report/markdown.ts';
import type { Plan } from '../core/plan/types.ts';
import type { Metadata } from '../ports/metadata.ts';
import type { GitHubContext } from './github-context.ts';
import { statusReader } from './status.ts';
import type { RunStatus } from './status.ts';

/** Milliseconds between two updates of the whole run, whatever the number of its workers. */
export const REPORT_INTERVAL = 10_000;

export interface ReportOptions {
  readonly metadata: Metadata;
  readonly plan: Plan;
  /** Path of the plan in the repository. */
  readonly path: string;
  /** Number of the monitor issue. */
  readonly issue: number;
  readonly workflowUrl: string | null;
}

export interface Reporter {
  /** Reads and writes once. `over` is what the run has come to; null while workers may be alive. */
  report(over: RunSituation | null): Promise<RunStatus | null>;
}

/** Lines of the run's own log that are looked through for who paused it and why. */
const PEOPLE = /^(?:Paused|Stopped|Resumed) by /u;

export function reporter(context: GitHubContext, options: ReportOptions): Reporter {
  const { github, clock } = context;
  const { metadata, plan, issue } = options;
  const name = plan.settings.name;
  const reader = statusReader(metadata, clock, name);
  const logs = new Map<string, string[]>();
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

  return {
    async report(over) {
      const status = await reader.read();
      if (status === null) return null;
      await readLogs();
      const monitor = await github.issue(issue);
      const marker = monitor === null ? null : readMarker(monitor.body);
      if (monitor === null || marker === null) return status;
      const situation = over ?? situationOf(status);
      const check = await currentCheck(context, marker, situation);
      const links = linksOf(options, {
        monitor: monitor.url,
        check: check.url,
        pullRequest: marker.pull_request,
      });
      const view: RunView = {
        plan,
        path: options.path,
        progress: status.progress,
        situation,
        now: clock.now(),
        logs,
        notice: status.progress.action === 'RUN' && situation === 'running' ? null : notice,
        links,
      };
      await github.updateCheck(check.id, runCheck(view));
      // Read again, right before it is written: nobody's click may be lost.
      const current = (await github.issue(issue)) ?? monitor;
      const latest = readMarker(current.body) ?? marker;
      const kept = { ...latest, check_run: check.id, attempt: check.attempt };
      await github.updateIssue(issue, { body: monitorBody(kept, view, current.body) });
      return status;
    },
  };
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
}

/** A completed check run can't be opened again: a run that goes on gets another one. */
async function currentCheck(
  { github }: GitHubContext,
  marker: MonitorMarker,
  situation: RunSituation,
): Promise<CurrentCheck> {
  const { check_run: id, attempt, run, sha } = marker;
  const found = id === null ? null : await github.check(id);
  const goesOn = situation === 'running' || situation === 'paused';
  if (found !== null && !(goesOn && found.state.status === 'completed')) {
    return { id: found.id, attempt, url: found.url };
  }
  const made = await github.createCheck(
    sha,
    formatExternalId({ kind: 'run', run, attempt: attempt + 1 }),
    {
      state: { status: 'in_progress' },
      title: 'Going on',
      summary: 'The run goes on.',
      text: null,
      annotations: [],
      buttons: [],
      detailsUrl: null,
    },
  );
  return { id: made.id, attempt: attempt + 1, url: made.url };
}

function linksOf(
  { plan, workflowUrl }: ReportOptions,
  known: Pick<RunLinks, 'monitor' | 'check' | 'pullRequest'>,
): RunLinks {
  const root = known.monitor?.replace(/\/issues\/\d+$/u, '') ?? '';
  return {
    ...known,
    workflow: workflowUrl,
    branch: root === '' ? null : `${root}/tree/sprocket/${plan.settings.name}`,
  };
}

/** The log of one procedure, for a comment. */
export async function logText(metadata: Metadata, plan: string, id: string): Promise<string> {
  const lines = await metadata.logs(plan, { id });
  const shown = lines.slice(-200).map(({ at, level, message }) => `${at} ${level} ${message}`);
  const hidden = lines.length - shown.length;
  const first = hidden > 0 ? [`… ${hidden} earlier lines`] : [];
  return shown.length === 0
    ? 'Nothing happened to it yet.'
    : markdownFence([...first, ...shown].join('\n').slice(-60_000));
}
