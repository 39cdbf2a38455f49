import type { Command } from 'commander';
import { qualified } from '../../core/catalog/names.ts';
import { resetMove } from '../../usecases/move_reset.ts';
import { reset } from '../../usecases/reset.ts';
import type { ResetOutcome } from '../../usecases/reset.ts';
import { MOVE_FOLDER, withPlannedMove } from '../move_plan.ts';
import { movesOnly } from '../moved_only.ts';
import { releaseSource } from '../move_wiring.ts';
import { EXIT } from '../output/failure.ts';
import { print, readPlan, withMetadata, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

export function register(program: Command): void {
  withPlanOptions(program.command('reset'))
    .description('forget the run, empty the tables that its pipelines loaded, let go of the source')
    .addHelpText(
      'after',
      '\nRefuses while the action is not STOP or a worker lives. The branch stays as it is.\n\nExample:\n  $ sprocket stop && sprocket reset',
    )
    .action(async (options: PlanOptions) => {
      const { plan } = await readPlan(options);
      const { name } = plan.settings;
      const outcome = movesOnly(plan)
        ? await resetPipelines(options)
        : await withMetadata(options, (metadata) => reset(metadata, name, releaseSource(plan)));
      if (!outcome.done || outcome.left !== null) process.exitCode = EXIT.needsPerson;
      print(options, outcome, resetText(name, outcome));
    });
}

/** Where the target holds no run of procedures: they need PostgreSQL. */
async function resetPipelines(options: PlanOptions): Promise<ResetOutcome> {
  const move = { ...options, folder: MOVE_FOLDER, chunkMb: '1' };
  return { done: true, tables: await withPlannedMove(move, resetMove), left: null };
}

function resetText(plan: string, outcome: ResetOutcome): string {
  if (!outcome.done) return `Nothing was changed. ${outcome.reason} ${outcome.advice}`;
  const { tables, left } = outcome;
  const emptied = tables.length === 0 ? '' : `; emptied: ${tables.map(qualified).join(', ')}`;
  return `Forgotten: the run of ${plan}${emptied}.${left === null ? '' : `\n${left}`}`;
}
