/** The commands that change the action of a run: pause, resume, stop. */
import type { Command } from 'commander';
import { systemClock } from '../../adapters/system/clock.ts';
import { setAction } from '../../usecases/control.ts';
import type { ActionRequest } from '../../usecases/control.ts';
import { movesOnly, setTableAction } from '../moved_only.ts';
import {
  personName,
  print,
  readPlan,
  withMetadata,
  withPerson,
  withPlanOptions,
} from '../session.ts';
import type { PlanOptions } from '../session.ts';

export interface ActionCommand {
  readonly name: string;
  readonly action: ActionRequest['action'];
  readonly description: string;
  /** What happens now, for people. */
  readonly effect: (workers: number) => string;
}

type Options = PlanOptions & { readonly by?: string };

export function registerAction(program: Command, command: ActionCommand): void {
  const { name, action } = command;
  withPerson(withPlanOptions(program.command(name)))
    .description(command.description)
    .argument('[reason...]', 'why, for the log')
    .addHelpText('after', `\nExamples:\n  $ sprocket ${name}\n  $ sprocket ${name} backup at noon`)
    .action(async (words: string[], options: Options) => {
      if (movesOnly((await readPlan(options)).plan)) return setTableAction(options, action);
      await withMetadata(options, async (metadata, { plan }) => {
        await metadata.migrate();
        const person = await personName(options.by);
        const reason = words.length === 0 ? null : words.join(' ');
        const { name: planName } = plan.settings;
        await setAction(metadata, systemClock, { plan: planName, action, person, reason });
        const moving = (await metadata.isMoving(planName)) ? 1 : 0;
        const workers = (await metadata.workers(planName)) + moving;
        print(options, { action, workers }, command.effect(workers));
      });
    });
}

export function workersText(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`;
}
