/** Worker processes of one `sprocket run`: they share nothing but the database. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

export interface WorkerSettings {
  readonly plan: string;
  /** Names of environment variables, and the schema of the metadata tables. */
  readonly target: string;
  readonly schema: string;
  /** Most procedures that a worker claims at once. */
  readonly most: number;
  /** Added to the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Workers {
  /** Resolves when all have ended. Failures are those that no other worker could make good. */
  readonly ended: Promise<readonly WorkerFailure[]>;
  /** Tells all to end in good order; the second time, to end at once. */
  stop(): void;
}

const failureSchema = z.object({
  message: z.string(),
  code: z.string().nullable(),
  advice: z.string().nullable(),
});
export type WorkerFailure = z.output<typeof failureSchema>;

/** What a worker process tells the one that started it. */
const workerMessageSchema = z.object({ failure: failureSchema });

/** How often a worker is started again that died without a word, e.g. for want of memory. */
const REVIVALS = 3;

export function startWorkers(count: number, settings: WorkerSettings): Workers {
  const living = new Set<ChildProcess>();
  let stopping = false;

  async function keepAlive(): Promise<WorkerFailure | null> {
    for (let deaths = 0; ; deaths += 1) {
      const child = startWorker(settings, count);
      living.add(child);
      let failure: WorkerFailure | null = null;
      child.on('message', (message) => {
        failure = workerMessageSchema.safeParse(message).data?.failure ?? failure;
      });
      const [code, signal] = await ending(child);
      living.delete(child);
      if (failure !== null || code === 0 || stopping) return failure;
      if (deaths === REVIVALS) return deathOf(code, signal);
    }
  }

  const all = Array.from({ length: count }, keepAlive);
  return {
    ended: Promise.all(all).then((failures) => failures.filter((failure) => failure !== null)),
    stop: () => {
      for (const child of living) child.kill(stopping ? 'SIGKILL' : 'SIGTERM');
      stopping = true;
    },
  };
}

function startWorker(
  { plan, target, schema, most, environment }: WorkerSettings,
  together: number,
): ChildProcess {
  const values = { plan, target, schema, most: String(most), together: String(together) };
  const args = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
  return fork(join(import.meta.dirname, 'worker.ts'), args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function ending(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  await Promise.race([once(child, 'exit'), once(child, 'error')]);
  return [child.exitCode, child.signalCode];
}

function deathOf(code: number | null, signal: NodeJS.Signals | null): WorkerFailure {
  return {
    message: `A worker died ${REVIVALS + 1} times (${signal ?? `status ${code ?? 'unknown'}`}).`,
    code: 'worker-died',
    advice: 'Look at the memory and the disk of this machine, then run it again: nothing is lost.',
  };
}
