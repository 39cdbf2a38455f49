import type { Command } from 'commander';
import { systemClock } from '../../adapters/system/clock.ts';
import { plainLines, terminalTable } from '../../core/report/progress-terminal.ts';
import type { Metadata } from '../../ports/metadata.ts';
import { statusReader } from '../../usecases/status.ts';
import type { RunStatus } from '../../usecases/status.ts';
import { isColoured, liveView } from '../output/live.ts';
import { movesOnly, tableStatus } from '../moved_only.ts';
import { print, readPlan, withMetadata, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

interface Options extends PlanOptions {
  readonly watch?: boolean;
}

const INTERVAL = 1_000;

export function register(program: Command): void {
  withPlanOptions(program.command('status'))
    .description('show how the run stands')
    .option('-w, --watch', 'renew the table every second until the run ends')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket status\n  $ sprocket status --watch\n  $ sprocket status --json | jq .summary.counts',
    )
    .action(async (options: Options) => {
      if (movesOnly((await readPlan(options)).plan)) return tableStatus(options);
      await withMetadata(options, async (metadata, { plan }) => {
        const { name } = plan.settings;
        if (options.watch === true && options.json !== true) await watch(metadata, name);
        else await once(metadata, name, options);
      });
    });
}

async function once(metadata: Metadata, plan: string, options: Options): Promise<void> {
  const status = await statusReader(metadata, systemClock, plan).read();
  if (status === null) {
    const hint = `The plan ${plan} has no run yet: start it with "sprocket run".`;
    print(options, { progress: null }, hint);
    return;
  }
  const lines = process.stdout.isTTY
    ? table(status)
    : plainLines(status.progress, systemClock.now());
  print(
    options,
    status,
    [...lines, ...(status.warning === null ? [] : [status.warning])].join('\n'),
  );
}

function table({ progress }: RunStatus): readonly string[] {
  return terminalTable(progress, {
    columns: process.stdout.columns,
    lines: Number.POSITIVE_INFINITY,
    colour: isColoured(process.stdout),
    now: systemClock.now(),
  });
}

async function watch(metadata: Metadata, plan: string): Promise<void> {
  const view = liveView(process.stdout, systemClock);
  const reader = statusReader(metadata, systemClock, plan);
  for (let looks = 0; ; looks += 1) {
    const status = await reader.read();
    if (status !== null) {
      view.show(status);
      if (hasEnded(status)) return;
    } else if (looks === 0) view.say(`The plan ${plan} has no run yet. Waiting for one …`);
    await systemClock.sleep(INTERVAL);
  }
}

function hasEnded({ summary, workers }: RunStatus): boolean {
  return workers === 0 && summary.state !== 'open';
}
