import type { Command } from 'commander';
import { reset } from '../../usecases/reset.ts';
import { EXIT } from '../output/failure.ts';
import { print, withMetadata, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

export function register(program: Command): void {
  withPlanOptions(program.command('reset'))
    .description('forget the run and empty the tables that its pipelines load')
    .addHelpText(
      'after',
      '\nRefuses while the action is not STOP or a worker lives. The branch stays as it is.\n\nExample:\n  $ sprocket stop && sprocket reset',
    )
    .action(async (options: PlanOptions) => {
      await withMetadata(options, async (metadata, { plan }) => {
        const tables = plan.pipelines
          .filter(({ include }) => include)
          .map(({ target }) => ({ schema: target.schema, name: target.name }));
        const outcome = await reset(metadata, plan.settings.name, tables);
        if (!outcome.done) process.exitCode = EXIT.needsPerson;
        print(
          options,
          outcome,
          outcome.done
            ? `Forgotten: the run of ${plan.settings.name}${tables.length === 0 ? '' : `; ${tables.length} tables emptied`}.`
            : `Nothing was changed. ${outcome.reason} ${outcome.advice}`,
        );
      });
    });
}
