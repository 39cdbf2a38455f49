/** Writes a run's progress to GitHub: check run and monitor issue, from one reading of the tables. */
import type { RunSituation } from '../core/checkrun/buttons.ts';
import type { RunPayload } from '../core/checkrun/launch.ts';
import { monitorBody, readMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { runCheck } from '../core/checkrun/run-check.ts';
import type { RunLinks, RunView } from '../core/checkrun/run-check.ts';
import type { Plan } from '../core/plan/types.ts';
import type { CheckRun, GitHub, Issue } from '../ports/github.ts';
import type { Metadata } from '../ports/metadata.ts';
import type { StatusBranch } from '../ports/repository.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { currentCheck } from './github-current-check.ts';
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
  report(over: RunSituation | null, news?: RunNews): Promise<Reported | null>;
}

/** What the monitor issue does not know yet. */
interface RunNews {
  readonly pullRequest: string | null;
}

export interface Reported {
  readonly status: RunStatus;
  /** As it was written; null where it is gone. */
  readonly monitor: Monitor | null;
}

/** What GitHub shows of the run before it is written. */
interface Shown {
  readonly check: CheckRun | null;
  readonly issue: Issue | null;
  readonly marker: MonitorMarker;
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
  /** The check run that showed the run last. */
  let lastCheck: number | null = payload.check_run;

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

  const readCheck = (id: number | null) => (id === null ? null : github.check(id));
  const readIssue = () => (payload.issue === null ? null : github.issue(payload.issue));

  /** The issue comes last: it is written back with what people have ticked until then. */
  async function look(): Promise<Shown> {
    const guessed = await readCheck(lastCheck);
    const issue = await readIssue();
    const marker = issue === null ? null : readMarker(issue.body);
    // A person took the line out of the issue, or there is none.
    if (marker === null) return { check: guessed, issue, marker: markerOf(options) };
    if (marker.check_run === lastCheck) return { check: guessed, issue, marker };
    return { check: await readCheck(marker.check_run), issue: await readIssue(), marker };
  }

  /** Milliseconds until there may be another report. */
  function restOf({ reported }: MonitorMarker): number {
    if (reported === null) return 0;
    const age = Date.parse(clock.now()) - Date.parse(reported);
    return (options.interval ?? REPORT_INTERVAL) - age;
  }

  async function write(
    status: RunStatus,
    situation: RunSituation,
    shown: Shown,
    news: RunNews,
  ): Promise<Monitor | null> {
    const check = await currentCheck(context, name, shown, situation);
    const issue = check.isSought ? await readIssue() : shown.issue;
    const marker: MonitorMarker = {
      ...shown.marker,
      check_run: check.id,
      attempt: check.attempt,
      pull_request: news.pullRequest ?? shown.marker.pull_request,
      reported: clock.now(),
    };
    lastCheck = check.id;
    const view: RunView = {
      plan,
      path: options.path,
      progress: status.progress,
      situation,
      now: clock.now(),
      logs,
      notice: status.progress.action === 'RUN' && situation === 'running' ? null : notice,
      links: await linksOf(context, options, {
        monitor: issue?.url ?? null,
        check: check.url,
        workflow: options.workflowUrl ?? check.detailsUrl,
        pullRequest: marker.pull_request,
      }),
    };
    try {
      return issue === null ? null : await writeMonitor(context, issue, marker, view, options);
    } finally {
      // An issue that can't be written must not keep the check run as it was.
      const content = runCheck(view);
      // GitHub adds annotations to those that are there: a check run gets them once, when it ends.
      const annotations = check.wasOver ? [] : content.annotations;
      await github.updateCheck(check.id, { ...content, annotations });
    }
  }

  return {
    async report(over, news = { pullRequest: null }) {
      for (;;) {
        const status = await reader.read();
        if (status === null) return null;
        await readLogs();
        const shown = await look();
        const rest = restOf(shown.marker);
        if (rest <= 0) {
          const monitor = await write(status, over ?? situationOf(status), shown, news);
          await statuses.write(status);
          return { status, monitor };
        }
        await clock.sleep(rest);
      }
    },
  };
}

/** Writes the issue; what people have ticked in it stays. */
async function writeMonitor(
  { github }: GitHubContext,
  issue: Issue,
  marker: MonitorMarker,
  view: RunView,
  options: ReportOptions,
): Promise<Monitor | null> {
  const whole =
    readMarker(issue.body) === null ? await restoredMarker(github, options, marker) : marker;
  if (whole === null) return null;
  const body = monitorBody(whole, view, issue.body);
  await github.updateIssue(issue.number, { body });
  return { issue: { ...issue, body }, marker: whole };
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
  { payload, path }: ReportOptions,
  marker: MonitorMarker,
): Promise<MonitorMarker | null> {
  const file = await github.file(payload.sha, path);
  return file === null ? null : { ...marker, blob: file.blob };
}

/** How the run stands while workers may be alive. */
export function situationOf({ progress, summary, workers }: RunStatus): RunSituation {
  if (summary.state === 'done') return 'done';
  if (progress.action === 'STOP') return 'stopped';
  if (progress.action === 'PAUSE') return 'paused';
  return summary.state === 'needs a person' && workers === 0 ? 'needs a person' : 'running';
}

async function linksOf(
  { github }: GitHubContext,
  { plan }: ReportOptions,
  known: Omit<RunLinks, 'branch'>,
): Promise<RunLinks> {
  const root = known.monitor?.replace(/\/issues\/\d+$/u, '') ?? (await github.repository()).url;
  return { ...known, branch: `${root}/tree/${runBranch(plan)}` };
}
