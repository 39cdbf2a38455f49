import type { Command } from 'commander';
import { workCommand } from '../work.ts';
import type { WorkOptions } from '../work.ts';

/** One worker process; `sprocket run` starts it. */
export function register(program: Command): void {
  program
    .command('work', { hidden: true })
    .description('work on a run that was started, until nothing is left to do')
    .requiredOption('--plan <name>', 'name of the plan')
    .requiredOption('--target <variable>', 'environment variable with the URL of the target')
    .requiredOption('--schema <name>', 'schema of the metadata tables')
    .requiredOption('--most <n>', 'most procedures to claim at once', Number)
    .requiredOption('--together <n>', 'workers that are started with this one', Number)
    .action((options: WorkOptions) => workCommand(options));
}
