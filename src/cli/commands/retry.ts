import type { Command } from 'commander';
import { decisionCommand, runDecision } from './decisions.ts';
import type { DecisionOptions } from './decisions.ts';

export function register(program: Command): void {
  decisionCommand(program, 'retry')
    .description('queue failed or skipped procedures again; without names all that failed')
    .argument('[procedure...]', 'dw.load_orders(date), or without the arguments')
    .option('--reason <text>', 'why, for the log')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket retry\n  $ sprocket retry dw.load_orders "dw.load_prices(date)"',
    )
    .action((names: string[], options: DecisionOptions) =>
      runDecision('retry', names, options.reason ?? null, options),
    );
}
