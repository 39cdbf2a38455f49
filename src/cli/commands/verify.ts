import type { Command } from 'commander';
import { verifyMove } from '../../usecases/verify_move.ts';
import type { TableVerdict } from '../../usecases/verify.ts';
import { EXIT } from '../output/failure.ts';
import type { MoveCommandOptions } from '../move_plan.ts';
import { withMoveOptions, withPlannedMove } from '../move_plan.ts';
import { print, withPlanOptions } from '../session.ts';

const show = (value: string | null) => (value === null ? 'NULL' : JSON.stringify(value));

/** One table's verdict for people: counts, then the rows; of those that both sides have, the columns that differ. */
export function verdictText(verdict: TableVerdict): string {
  const { table, sourceRows, targetRows, missing, extra, different, shown } = verdict;
  if (verdict.equal) return `${table}: equal, ${sourceRows} rows`;
  const head =
    `${table}: ${sourceRows} rows at the source, ${targetRows} in the target; ` +
    `${missing} missing, ${extra} extra, ${different} different`;
  if (targetRows === 0) return `${head}\n  The target holds none of them.`;
  const more = missing + extra + different - shown.length;
  return [head, ...shown.flatMap(rowLines), ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}

function rowLines({ kind, key, columns }: TableVerdict['shown'][number]): readonly string[] {
  if (kind !== 'different') {
    const values = columns.map(({ column, source, target }) => [
      column,
      kind === 'missing' ? source : target,
    ]);
    return [`  ${kind}: ${pairs(values)}`];
  }
  return [
    `  different at ${pairs(Object.entries(key))} (source → target)`,
    ...columns.map(
      ({ column, source, target }) => `    ${column}: ${show(source)} → ${show(target)}`,
    ),
  ];
}

const pairs = (values: readonly (readonly (string | null)[])[]) =>
  values.map(([name, value]) => `${name} = ${show(value ?? null)}`).join(', ');

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
