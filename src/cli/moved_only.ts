/**
 * What the commands about a run do where the target is MySQL or MariaDB: it has the tables of
 * pipelines, and no run of procedures, which need PostgreSQL.
 */
import { systemClock } from '../adapters/system/clock.ts';
import { effectiveAction } from '../core/lifecycle/action.ts';
import { pipelineRow } from '../core/report/pipelines.ts';
import { plainLines } from '../core/report/progress-terminal.ts';
import type { PipelineRecord } from '../core/movement/pipeline-record.ts';
import type { Plan } from '../core/plan/types.ts';
import type { MoveContext } from '../usecases/move_context.ts';
import { runMove } from '../usecases/move.ts';
import { pipelineStatusOf } from '../usecases/status.ts';
import { CHUNK_MB, MOVE_FOLDER, withPlannedMove } from './move_plan.ts';
import { EXIT, UsageError } from './output/failure.ts';
import { print } from './session.ts';
import type { PlanOptions } from './session.ts';

const PATIENCE_MS = 300_000;

export function movesOnly({ settings }: Plan): boolean {
  return settings.target.dialect === 'mysql';
}

function withTables<T>(
  options: PlanOptions,
  use: (context: MoveContext) => Promise<T>,
): Promise<T> {
  return withPlannedMove({ ...options, folder: MOVE_FOLDER, chunkMb: String(CHUNK_MB) }, use);
}

/** Loads the plan's tables; whoever wants their changes followed starts "sprocket move". */
export async function runTables(
  options: PlanOptions & { readonly resume?: boolean },
  plan: Plan,
): Promise<void> {
  if (plan.procedures.some(({ include }) => include)) {
    throw new UsageError(
      'Procedures become models in PostgreSQL only, and the target is MySQL or MariaDB.',
      'Set their Include to no to move the tables; or give target another database.',
    );
  }
  await withTables(options, async (context) => {
    if (options.resume === true) await context.store.setAction(context.target.statements, 'RUN');
    const { outcome } = await runMove(context, { goal: 'drained', patienceMs: PATIENCE_MS });
    const stopped = outcome === 'stopped' ? ['Stopped: "sprocket resume", then run it again.'] : [];
    await show(options, context, stopped);
  });
}

export async function tableStatus(options: PlanOptions): Promise<void> {
  await withTables(options, (context) => show(options, context, []));
}

async function show(
  options: PlanOptions,
  context: MoveContext,
  more: readonly string[],
): Promise<void> {
  const { pipelines, plan, store, target } = context;
  const now = systemClock.now();
  const records: readonly PipelineRecord[] = await pipelines.read(target.statements);
  const { action, warning } = effectiveAction(await store.actions(target.statements));
  const rows = records.map((record) => pipelineRow(record, now));
  const progress = { plan: plan.name, action, rows };
  if (rows.some(({ status }) => status === 'Failed')) process.exitCode = EXIT.needsPerson;
  print(
    options,
    { progress, pipelines: records.map((record) => pipelineStatusOf(record, now)), warning },
    [...plainLines(progress, now), ...(warning === null ? [] : [warning]), ...more].join('\n'),
  );
}

export async function setTableAction(
  options: PlanOptions,
  action: 'RUN' | 'PAUSE' | 'STOP',
): Promise<void> {
  await withTables(options, async ({ store, target }) => {
    await store.setAction(target.statements, action);
    print(
      options,
      { action },
      `The action is ${action}; whoever moves tables obeys within 5 seconds.`,
    );
  });
}
