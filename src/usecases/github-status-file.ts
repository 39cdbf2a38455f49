/** The Status columns of plan.md on the run's branch, while the run is under way. */
import { progressTitle } from '../core/report/progress.ts';
import type { Clock } from '../ports/clock.ts';
import { planWithStatus, statusChanges } from './finish.ts';
import type { ReportOptions } from './github-report.ts';
import { runBranch } from './run-knowledge.ts';
import type { RunStatus } from './status.ts';

/** Milliseconds between two writings, whatever happens meanwhile. */
const STATUS_INTERVAL = 20_000;

interface StatusWriter {
  write(status: RunStatus): Promise<void>;
}

/** Keeps plan.md on the run's branch up to date, seldom enough. */
export function statusWriter(
  clock: Clock,
  { branch, plan, path, payload, metadata }: ReportOptions,
): StatusWriter {
  let last = { text: '', at: 0 };
  return {
    async write({ progress }) {
      const changes = statusChanges(progress.rows);
      const text = JSON.stringify(changes.map(({ id, status }) => [id, status]));
      const now = Date.parse(clock.now());
      const tooEarly = last.at > 0 && now - last.at < STATUS_INTERVAL;
      if (branch === null || text === last.text || tooEarly) return;
      const planText = (await metadata.run(plan.settings.name))?.planText ?? '';
      await branch.writeStatus({
        branch: runBranch(plan),
        start: payload.sha,
        startText: planText,
        path,
        message: `${plan.settings.name}: ${progressTitle(progress.rows)}\n`,
        rewrite: (current) => planWithStatus(current, planText, changes),
      });
      last = { text, at: now };
    },
  };
}
