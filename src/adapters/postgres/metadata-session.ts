/**
 * One connection to the metadata tables that outlives its server: where the connection is lost, the
 * transaction is played again on a new one.
 */
import { ConnectionError } from '../../ports/catalog.ts';
import type { Clock } from '../../ports/clock.ts';
import { SqlError } from '../../ports/sandbox.ts';
import type { SqlSession } from '../../ports/sandbox.ts';
import type { Query } from './lock.ts';

export interface LastingSession {
  /** Runs `work` in a transaction; again where the connection is lost or another one got in its way. */
  transaction<T>(work: (session: Query) => Promise<T>): Promise<T>;
  /** Runs `work` without a transaction; again where the connection is lost. */
  run<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface LastingOptions {
  readonly open: () => Promise<SqlSession>;
  readonly clock: Clock;
  /** Takes again what a new connection must hold, e.g. locks. */
  readonly onReconnect: (session: Query) => Promise<void>;
  /** How long to try to get a new connection, in milliseconds. */
  readonly patience: number;
  /** Aborted when nobody wants to wait for a server any more. */
  readonly hurry: AbortSignal | undefined;
  /** What is thrown for an error that no other try can help. */
  readonly translate: (error: unknown) => unknown;
}

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;
const CONFLICTS = new Set(['40001', '40P01', '55P03']);
const CONFLICT_ATTEMPTS = 10;

/** Codes after which another try may succeed without anybody doing something. */
const PASSING = new Set(['lost', 'unreachable', 'timeout', 'starting-up', 'too-many-connections']);

/** Opens the connection; what stands in the way of the first one is thrown at once. */
export async function lastingSession(options: LastingOptions): Promise<LastingSession> {
  let session: SqlSession | null = await options.open();
  let last: Promise<unknown> = Promise.resolve();

  async function reconnect(): Promise<SqlSession> {
    let wait = FIRST_WAIT;
    for (let waited = 0; ; waited += wait, wait = Math.min(wait * 2, LONGEST_WAIT)) {
      try {
        const opened = await options.open();
        await options.onReconnect(opened);
        return opened;
      } catch (error) {
        const enough = waited >= options.patience || options.hurry?.aborted === true;
        if (!isPassing(error) || enough) throw error;
        await options.clock.sleep(wait, options.hurry);
      }
    }
  }

  async function attempt<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    for (let lost = 0; ; lost += 1) {
      session ??= await reconnect();
      try {
        return await work(session);
      } catch (error) {
        if (!isPassing(error)) throw options.translate(error);
        await session.close().catch(() => undefined);
        session = null;
        // A statement that takes the server down each time must not go on for ever.
        if (lost >= 3) throw error;
      }
    }
  }

  /** One at a time: a query between those of another's transaction would become part of it. */
  function queued<T>(work: () => Promise<T>): Promise<T> {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  }

  return {
    run: (work) => queued(() => attempt(work)),
    transaction: (work) => queued(() => attempt((open) => inTransaction(open, work))),
    close: () =>
      queued(async () => {
        await session?.close();
        session = null;
      }),
  };
}

async function inTransaction<T>(
  session: SqlSession,
  work: (session: Query) => Promise<T>,
): Promise<T> {
  for (let conflicts = 1; ; conflicts += 1) {
    await session.query('BEGIN');
    try {
      const result = await work(session);
      await session.query('COMMIT');
      return result;
    } catch (error) {
      if (isPassing(error)) throw error;
      await session.query('ROLLBACK');
      const conflict = error instanceof SqlError && CONFLICTS.has(error.code);
      if (!conflict || conflicts >= CONFLICT_ATTEMPTS) throw error;
    }
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof ConnectionError && PASSING.has(error.code);
}
