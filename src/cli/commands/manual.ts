import type { Command } from 'commander';
import { decisionCommand, runDecision } from './decisions.ts';
import type { DecisionOptions } from './decisions.ts';

export function register(program: Command): void {
  decisionCommand(program, 'manual')
    .description('take your own model, committed to the run’s branch, and prove it')
    .argument('<procedure...>', 'dw.load_orders(date), or without the arguments')
    .option('--reason <text>', 'why, for the log and the summary')
    .addHelpText(
      'after',
      `
The model is a file in the models folder of the dbt project, on the branch
sprocket/<plan name>, and builds the table that the procedure writes (its name,
or its alias and schema, are the table's).

Examples:
  $ git switch sprocket/sales-warehouse
  $ git add transform/models/dw/orders.sql && git commit -m "Orders by hand"
  $ git switch -
  $ sprocket manual dw.load_orders && sprocket run`,
    )
    .action((names: string[], options: DecisionOptions) =>
      runDecision('manual', names, options.reason ?? null, options),
    );
}
