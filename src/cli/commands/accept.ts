import type { Command } from 'commander';
import { decisionCommand, runDecision } from './decisions.ts';
import type { DecisionOptions } from './decisions.ts';

export function register(program: Command): void {
  decisionCommand(program, 'accept')
    .description('take a model although its proof could not be given; the summary names you')
    .argument('<procedure>', 'dw.load_orders(date), or without the arguments')
    .argument('<reason...>', 'why its rows are right')
    .addHelpText(
      'after',
      '\nExample:\n  $ sprocket accept dw.load_ranking ties may fall either way',
    )
    .action((name: string, reason: string[], options: DecisionOptions) =>
      runDecision('accept', [name], reason.join(' '), options),
    );
}
