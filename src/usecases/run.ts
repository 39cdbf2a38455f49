/** Starts the run of a plan, or starts it again where it was. */
import { includedIds, scheduleRun } from '../core/lifecycle/schedule.ts';
import type { ScheduleProblem } from '../core/lifecycle/schedule.ts';
import { step } from '../core/lifecycle/step.ts';
import { qualified } from '../core/catalog/names.ts';
import type { Catalog } from '../core/catalog/types.ts';
import type { Plan } from '../core/plan/types.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import { translate } from '../core/translate/translate.ts';
import type { Translation } from '../core/translate/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata.ts';

export interface StartOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly plan: Plan;
  /** plan.md, byte for byte. */
  readonly planText: string;
  /** Commit that the run's branch starts from; null in a repository without one. */
  readonly baseCommit: string | null;
  readonly catalog: Catalog;
}

/** The plan can't be run as it is. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
  readonly code = 'start-refused';
  readonly problems: readonly ScheduleProblem[];
  readonly advice = 'Mend the plan, then start again.';

  constructor(problems: readonly ScheduleProblem[]) {
    super(`The run can't start:\n${problems.map(({ message }) => `  ${message}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Records what the plan includes and in which order it can be done. What was done before stays
 * done. Throws `StartRefused`.
 */
export async function startRun(options: StartOptions): Promise<{ readonly warnings: string[] }> {
  const { metadata, clock, plan, catalog } = options;
  const name = plan.settings.name;
  const schedule = scheduleRun(plan, catalog, await translateIncluded(plan, catalog));
  if (schedule.problems.length > 0) throw new StartRefused(schedule.problems);
  const at = clock.now();
  await metadata.start(
    {
      plan: name,
      planText: options.planText,
      baseCommit: options.baseCommit,
      at,
      procedures: schedule.procedures,
      pipelines: plan.pipelines
        .filter(({ include }) => include)
        .map(({ id, target, mode }) => ({
          id,
          target: qualified(target),
          follows: mode === 'load + changes',
        })),
    },
    (members) => ({
      states: step(members, []).states,
      logs: schedule.warnings.map((message) => ({ id: null, at, level: 'warning', message })),
    }),
  );
  await metadata.saveCatalog(name, JSON.stringify(catalog));
  return { warnings: [...schedule.warnings] };
}

/** Translations of the included procedures, in the order of the catalog. */
export async function translateIncluded(
  plan: Plan,
  catalog: Catalog,
): Promise<readonly Translation[]> {
  await loadParser();
  return translate(catalog, {
    routines: includedIds(plan),
    dataTables: [
      ...plan.settings.dataTables,
      ...plan.procedures.flatMap(({ dataTables }) => dataTables),
    ].map(qualified),
  });
}
