import type { Command } from 'commander';
import { systemClock } from '../../adapters/system/clock.ts';
import type { Metadata } from '../../ports/metadata.ts';
import { readStatus } from '../../usecases/status.ts';
import type { RunStatus } from '../../usecases/status.ts';
import { liveView, painter } from '../output/live.ts';
import { progressTable } from '../output/progress-table.ts';
import { print, withMetadata, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

interface Options extends PlanOptions {
  readonly watch?: boolean;
}

const INTERVAL = 1_000;
/** Where nothing tells the width, lines stay whole. */
const PIPE_WIDTH = 1_000;

export function register(program: Command): void {
  withPlanOptions(program.command('status'))
    .description('show how the run stands')
    .option('-w, --watch', 'renew the table every second until the run ends')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket status\n  $ sprocket status --watch\n  $ sprocket status --json | jq .summary.counts',
    )
    .action(async (options: Options) => {
      await withMetadata(options, async (metadata, { plan }) => {
        const { name } = plan.settings;
        if (options.watch === true && options.json !== true) await watch(metadata, name);
        else await once(metadata, name, options);
      });
    });
}

async function once(metadata: Metadata, plan: string, options: Options): Promise<void> {
  const status = await readStatus(metadata, plan);
  if (status === null) {
    print(
      options,
      { plan, run: null },
      `The plan ${plan} has no run yet: start it with "sprocket run".`,
    );
    return;
  }
  const table = progressTable(status, {
    width: process.stdout.isTTY ? process.stdout.columns : PIPE_WIDTH,
    height: null,
    now: Date.parse(systemClock.now()),
    paint: painter(process.stdout),
  });
  const warning = status.action.warning === null ? [] : [status.action.warning];
  print(options, status, [...table, ...warning].join('\n'));
}

async function watch(metadata: Metadata, plan: string): Promise<void> {
  const view = liveView(process.stdout, systemClock);
  for (;;) {
    const status = await readStatus(metadata, plan);
    if (status !== null) {
      view.show(status);
      if (hasEnded(status)) return;
    }
    await systemClock.sleep(INTERVAL);
  }
}

function hasEnded({ summary, workers }: RunStatus): boolean {
  return workers === 0 && summary.state !== 'open';
}
