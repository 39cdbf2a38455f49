import type { Command } from 'commander';
import { cutOver } from '../../usecases/cutover.ts';
import type { MoveCommandOptions } from '../move_plan.ts';
import { seconds, withMoveOptions, withPlannedMove } from '../move_plan.ts';
import { print, withPlanOptions } from '../session.ts';
import { verdictText } from './verify.ts';

export function register(program: Command): void {
  withMoveOptions(withPlanOptions(program.command('cutover')))
    .description('drain the changes, prove both sides equal, and let go of the source')
    .option('--patience <seconds>', 'how long to wait for a server that is away', seconds, 300)
    .addHelpText(
      'after',
      '\nStop what writes to the source first: what is written later is not moved.\n\nExample:\n  $ sprocket cutover',
    )
    .action(async (options: MoveCommandOptions & { readonly patience: number }) => {
      await withPlannedMove(options, async (context) => {
        const result = await cutOver(context, { patienceMs: options.patience * 1000 });
        const verdicts = result.verdicts.map(verdictText).join('\n');
        print(
          options,
          result,
          result.outcome === 'cut-over'
            ? `${verdicts}\nCut over: the target stands on its own.`.trim()
            : 'Stopped before the cutover.',
        );
      });
    });
}
