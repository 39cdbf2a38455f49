/** The commands by which a person decides about procedures: retry, skip, manual, accept. */
import type { Command } from 'commander';
import { systemClock } from '../../adapters/system/clock.ts';
import { decide } from '../../usecases/control.ts';
import type { DecisionRequest } from '../../usecases/control.ts';
import { EXIT } from '../output/failure.ts';
import { oneLine } from '../../core/report/text.ts';
import { personName, print, withMetadata, withPerson, withPlanOptions } from '../session.ts';
import type { PlanOptions } from '../session.ts';

export interface DecisionOptions extends PlanOptions {
  readonly by?: string;
  readonly reason?: string;
}

/** A command with the options of a decision; its arguments and action are its own. */
export function decisionCommand(program: Command, name: DecisionRequest['decision']): Command {
  return withPerson(withPlanOptions(program.command(name)));
}

const WORDS: Readonly<Record<DecisionRequest['decision'], string>> = {
  retry: 'Queued again',
  skip: 'Skipped',
  manual: 'Waits for your model',
  accept: 'Accepted',
};

/** Takes the decision and prints what became of it; the exit status is 1 where something did not. */
export async function runDecision(
  decision: DecisionRequest['decision'],
  names: readonly string[],
  reason: string | null,
  options: DecisionOptions,
): Promise<void> {
  await withMetadata(options, async (metadata, { plan }) => {
    const result = await decide(metadata, systemClock, {
      plan: plan.settings.name,
      decision,
      names,
      person: await personName(options.by),
      reason,
    });
    const workers = await metadata.workers(plan.settings.name);
    const lines = [
      ...result.changed.map((id) => `${WORDS[decision]}: ${oneLine(id)}`),
      ...result.problems.map(({ name, message }) => `${oneLine(name)}: ${oneLine(message)}`),
      ...(result.changed.length === 0 && result.problems.length === 0
        ? ['Nothing has failed.']
        : []),
      ...(result.changed.length > 0 && workers === 0
        ? ['No worker is alive: start them with "sprocket run".']
        : []),
    ];
    print(options, { decision, ...result, workers }, lines.join('\n'));
    if (result.problems.length > 0) process.exitCode = EXIT.needsPerson;
  });
}
