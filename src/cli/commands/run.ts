import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { runCommand } from '../run.ts';
import type { RunOptions } from '../run.ts';
import { withPlanOptions } from '../session.ts';

export function register(program: Command): void {
  withPlanOptions(program.command('run'))
    .description('translate and prove what the plan includes, and commit it to the run’s branch')
    .option('--workers <n>', 'number of worker processes; the plan’s where left out', positive)
    .option('--batch <n>', 'most procedures that a worker takes at once', positive, 25)
    .option('--resume', 'set the action to RUN first, as "sprocket resume" does')
    .addHelpText(
      'after',
      `
Goes on where it was, however it ended before. Ctrl-C ends it in good order.
Another "sprocket run" of the same plan, here or elsewhere, shares the work.

Examples:
  $ sprocket run
  $ sprocket run --workers 2 --plan warehouse/plan.md
  $ sprocket run --json > result.json`,
    )
    .action((options: RunOptions) => runCommand(options));
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 256) {
    throw new InvalidArgumentError('Write a whole number from 1 to 256.');
  }
  return number;
}
