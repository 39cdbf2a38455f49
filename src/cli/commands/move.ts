import type { Command } from 'commander';
import { runMove } from '../../usecases/move.ts';
import type { MoveStatus } from '../../usecases/move_status.ts';
import { moveStatus } from '../../usecases/move_status.ts';
import type { MoveCommandOptions } from '../move_plan.ts';
import { seconds, withMoveOptions, withPlannedMove } from '../move_plan.ts';
import { print, withPlanOptions } from '../session.ts';

interface Options extends MoveCommandOptions {
  readonly once?: boolean;
  readonly status?: boolean;
  readonly patience: number;
}

function statusText({ tables, stream }: MoveStatus): string {
  const lines = tables.map(
    ({ table, target, state, rows, estimatedRows }) =>
      `${table} → ${target}  ${state}  ${rows} rows${state === 'Loading' && estimatedRows > 0 ? ` of about ${estimatedRows}` : ''}`,
  );
  if (stream !== null) {
    const kept =
      stream.retainedBytes === null
        ? ''
        : `, the source keeps ${stream.retainedBytes} bytes of log`;
    lines.push(
      `changes: ${stream.changes} applied up to ${stream.applied}, ${stream.bytes} bytes and ${stream.seconds} s behind${kept}` +
        (stream.status === null ? '' : ` (${stream.status})`),
    );
  }
  return lines.join('\n');
}

export function register(program: Command): void {
  withMoveOptions(withPlanOptions(program.command('move')))
    .description('load the tables of the plan’s pipelines and follow their changes until cutover')
    .option('--once', 'end as soon as the target holds what the source holds')
    .option('--status', 'only say how far it is')
    .option('--patience <seconds>', 'how long to wait for a server that is away', seconds, 300)
    .addHelpText('after', '\nExamples:\n  $ sprocket move\n  $ sprocket move --status')
    .action(async (options: Options) => {
      await withPlannedMove(options, async (context) => {
        if (options.status === true) {
          const status = await moveStatus(context);
          print(options, status, statusText(status));
        } else {
          const goal = options.once === true ? 'drained' : 'forever';
          const result = await runMove(context, {
            goal,
            patienceMs: options.patience * 1000,
          });
          print(options, result, `Pipelines: ${result.outcome}.`);
        }
      });
    });
}
