import type { Command } from 'commander';
import { verifyMove } from '../../usecases/verify_move.ts';
import type { TableVerdict } from '../../usecases/verify.ts';
import { EXIT } from '../output/failure.ts';
import type { MoveCommandOptions } from '../move_plan.ts';
import { withMoveOptions, withPlannedMove } from '../move_plan.ts';
import { print, withPlanOptions } from '../session.ts';

const show = (value: string | null) => (value === null ? 'NULL' : JSON.stringify(value));

/** One table's verdict for people: counts, then the rows column by column. */
export function verdictText(verdict: TableVerdict): string {
  const head = verdict.equal
    ? `${verdict.table}: equal, ${verdict.sourceRows} rows`
    : `${verdict.table}: ${verdict.sourceRows} rows at the source, ${verdict.targetRows} in the target; ` +
      `${verdict.missing} missing, ${verdict.extra} extra, ${verdict.different} different`;
  const rows = verdict.shown.flatMap(({ kind, key, columns }) => [
    `  ${kind} at ${Object.entries(key)
      .map(([name, value]) => `${name} = ${show(value)}`)
      .join(', ')}`,
    ...columns.map(
      ({ column, source, target }) => `    ${column}: ${show(source)} → ${show(target)}`,
    ),
  ]);
  return [head, ...rows].join('\n');
}

export function register(program: Command): void {
  withMoveOptions(withPlanOptions(program.command('verify')))
    .description('prove that source and target hold the same rows, and show those that differ')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sprocket verify\n  $ sprocket verify --json | jq .tables',
    )
    .action(async (options: MoveCommandOptions) => {
      await withPlannedMove(options, async (context) => {
        const verdicts = await verifyMove(context);
        if (verdicts.some(({ equal }) => !equal)) process.exitCode = EXIT.needsPerson;
        print(options, { tables: verdicts }, verdicts.map(verdictText).join('\n'));
      });
    });
}
