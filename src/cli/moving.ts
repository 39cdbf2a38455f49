/** The worker that moves a run's tables: a process of its own beside the one that works on procedures. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { z } from 'zod';
import { openMetadata } from '../adapters/postgres/metadata.ts';
import { connect } from '../adapters/postgres/connection.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { MoveError } from '../core/movement/errors.ts';
import { runMove } from '../usecases/move.ts';
import { readRecordedRun } from '../usecases/run-knowledge.ts';
import { EXIT, failureOf } from './output/failure.ts';
import { CHUNK_MB, MOVE_FOLDER, moveSettings } from './move_plan.ts';
import { withMove } from './move_wiring.ts';
import { databaseAddress } from './session.ts';
import { listenForEnd } from './signals.ts';

export interface MovingOptions {
  /** Name of the plan. */
  readonly plan: string;
  /** Environment variable with the URL of the target. */
  readonly target: string;
  readonly schema: string;
}

const PATIENCE_MS = 300_000;

/** What the process tells the one that started it. */
const messageSchema = z.object({ failure: z.object({ message: z.string() }) });

/**
 * Moves the tables of a run in another process, so that parsing, which takes whole seconds, holds
 * nothing up. Resolves when that one has ended; throws where it ended before it could record why.
 */
export async function moveInProcess(options: MovingOptions, signal: AbortSignal): Promise<void> {
  const { plan, target, schema } = options;
  const script = process.argv[1] ?? '';
  const args = ['--tables', '--plan', plan, '--target', target, '--schema', schema];
  const child = fork(script, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const end = (): void => {
    child.kill('SIGTERM');
  };
  let failure: string | null = null;
  child.on('message', (message) => {
    failure = messageSchema.safeParse(message).data?.failure.message ?? failure;
  });
  signal.addEventListener('abort', end, { once: true });
  try {
    await Promise.race([once(child, 'exit'), once(child, 'error')]);
  } finally {
    signal.removeEventListener('abort', end);
  }
  if (child.exitCode === 0 || signal.aborted) return;
  throw new Error(
    failure ??
      `The process that moves tables died (${child.signalCode ?? `status ${child.exitCode ?? 'unknown'}`}). ` +
        'Look at the memory and the disk of this machine, then run it again: nothing is lost.',
  );
}

/** That process: moves until STOP, cutover or a failure, which it records with the pipelines. */
export async function movingCommand(options: MovingOptions): Promise<void> {
  const ending = listenForEnd();
  try {
    await moveRecorded(options, ending.signal);
  } catch (error) {
    // What needs a person is recorded with the pipelines; another worker may be faster than we.
    if (error instanceof MoveError) return;
    process.send?.({ failure: failureOf(error) });
    process.exitCode = EXIT.environment;
  } finally {
    ending.dispose();
    if (process.connected) process.disconnect();
  }
}

async function moveRecorded(
  { plan, target, schema }: MovingOptions,
  signal: AbortSignal,
): Promise<void> {
  const address = databaseAddress(target);
  const metadata = await openMetadata({
    open: () => connect(address),
    schema,
    clock: systemClock,
    hurry: signal,
  });
  const say = (message: string): void => {
    const line = { id: null, at: systemClock.now(), level: 'info', message } as const;
    void metadata.log(plan, [line]).catch(() => undefined);
  };
  try {
    const { parsed } = await readRecordedRun(metadata, plan);
    const settings = moveSettings(parsed, { folder: resolve(MOVE_FOLDER), chunkMb: CHUNK_MB });
    if (settings === null) return;
    await withMove(settings, signal, { log: say, progress: () => undefined }, (context) =>
      runMove(context, { goal: 'forever', patienceMs: PATIENCE_MS }),
    );
  } finally {
    await metadata.close().catch(() => undefined);
  }
}
