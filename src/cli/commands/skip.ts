import type { Command } from 'commander';
import { decisionCommand, runDecision } from './decisions.ts';
import type { DecisionOptions } from './decisions.ts';

export function register(program: Command): void {
  decisionCommand(program, 'skip')
    .description('leave procedures out; what reads their tables takes them as sources')
    .argument('<procedure...>', 'dw.load_orders(date), or without the arguments')
    .option('--reason <text>', 'why, for the log and the summary')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket skip dw.load_history\n  $ sprocket skip dw.load_history --reason "not used any more"',
    )
    .action((names: string[], options: DecisionOptions) =>
      runDecision('skip', names, options.reason ?? null, options),
    );
}
