/** `sprocket work`: one worker process. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { connect } from '../adapters/postgres/connection.ts';
import { openMetadata } from '../adapters/postgres/metadata.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { Metadata } from '../ports/metadata.ts';
import { watchAction } from '../usecases/watch.ts';
import { work } from '../usecases/work.ts';
import { tendPipelines } from '../usecases/tend.ts';
import { openEngine } from './engine.ts';
import { moveInProcess } from './moving.ts';
import { EXIT, failureOf, UsageError } from './output/failure.ts';
import { databaseAddress } from './session.ts';
import { listenForEnd } from './signals.ts';

export interface WorkOptions {
  readonly plan: string;
  readonly target: string;
  readonly schema: string;
  readonly most: number;
  readonly together: number;
}

/** Works until nothing is left; tells the process that started it what went wrong. */
export async function workCommand(options: WorkOptions): Promise<void> {
  const ending = listenForEnd();
  try {
    const address = databaseAddress(options.target);
    const metadata = await openMetadata({
      open: () => connect(address),
      schema: options.schema,
      clock: systemClock,
      hurry: ending.signal,
    });
    try {
      await workOn(options, metadata, ending.signal);
    } finally {
      await metadata.close().catch(() => undefined);
    }
  } catch (error) {
    if (process.send === undefined) throw error;
    process.send({ failure: failureOf(error) });
    process.exitCode = EXIT.environment;
  } finally {
    ending.dispose();
    if (process.connected) process.disconnect();
  }
}

async function workOn(
  options: WorkOptions,
  metadata: Metadata,
  ending: AbortSignal,
): Promise<void> {
  const { plan, most, together } = options;
  if (!(await metadata.join(plan))) {
    throw new UsageError(`The run of ${plan} is being reset.`, 'Start it again in a moment.');
  }
  const broken = new AbortController();
  const watch = await watchAction(metadata, systemClock, {
    ending: AbortSignal.any([ending, broken.signal]),
    onWarning: (message) => {
      const line = { id: null, at: systemClock.now(), level: 'warning', message } as const;
      void metadata.log(plan, [line]).catch(() => undefined);
    },
  });
  try {
    const engine = await openEngine(metadata, plan);
    try {
      const worker = `${hostname()}.${process.pid}.${randomBytes(4).toString('hex')}`;
      const settings = { plan, worker, most, together, until: null, work: engine.work };
      await besidePipelines(options, metadata, broken, () =>
        work({ metadata, clock: systemClock, watch, ...settings }),
      );
    } finally {
      await engine.close();
    }
  } finally {
    await watch.close();
  }
}

/**
 * Moves tables where nobody else does, until the signal comes. What keeps them from moving breaks
 * the work off: a run without its tables would wait for ever.
 */
async function besidePipelines(
  options: WorkOptions,
  metadata: Metadata,
  broken: AbortController,
  run: () => Promise<unknown>,
): Promise<void> {
  const over = new AbortController();
  const move = (signal: AbortSignal): Promise<void> => moveInProcess(options, signal);
  const tending = tendPipelines(
    { metadata, clock: systemClock, plan: options.plan, move },
    over.signal,
  ).catch((error: unknown) => broken.abort(error));
  try {
    await run();
  } finally {
    over.abort();
    await tending;
  }
  if (broken.signal.aborted) throw broken.signal.reason;
}
