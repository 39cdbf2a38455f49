/** The long-lived Python process: starts it, sends it requests, stops it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { DbtError } from '../../ports/dbt.ts';
import { answerSchema, greetingSchema } from './results.ts';
import type { DbtAnswer } from './results.ts';

const DRIVER = join(import.meta.dirname, 'driver.py');
/** dbt cancels its queries before it ends; more than that it does not get. */
const CANCEL_MS = 6_000;
/** Enough of what dbt printed last to explain why it ended. */
const STDERR_LIMIT = 8_192;

export interface DriverVersions {
  readonly core: string;
  readonly postgres: string | null;
}

export interface DriverRequest {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
}

export class DbtDriver {
  readonly versions: DriverVersions;
  readonly #child: ChildProcess;
  readonly #stdin: Writable;
  readonly #answers: AsyncIterator<string>;
  readonly #stderr: () => string;
  #nextId = 1;
  #exited = false;
  #stopping: Promise<void> | null = null;

  private constructor(
    child: ChildProcess,
    stdin: Writable,
    answers: AsyncIterator<string>,
    stderr: () => string,
    versions: DriverVersions,
  ) {
    this.#child = child;
    this.#stdin = stdin;
    this.#answers = answers;
    this.#stderr = stderr;
    this.versions = versions;
    child.once('exit', () => (this.#exited = true));
  }

  /** False where it has ended or is about to. */
  get alive(): boolean {
    return !this.#exited && this.#stopping === null;
  }

  /** Starts the process; null where this Python has no dbt that can be imported. */
  static async start(
    python: string,
    env: Readonly<Record<string, string>>,
  ): Promise<DbtDriver | null> {
    // A group of its own: Ctrl-C is for us to pass on, and stdin tells it when we are gone.
    const child = spawn(python, ['-u', DRIVER], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const failed = once(child, 'error').then(([error]) => Promise.reject(toError(error)));
    const stderr = lastOutput(child.stderr);
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stdin.on('error', () => undefined);
    const line = await Promise.race([answers.next(), failed]).catch(() => null);
    if (line === null || line.done === true) return null;
    const greeting = greetingSchema.safeParse(jsonOf(line.value));
    if (!greeting.success || !greeting.data.ready) {
      child.stdin.end();
      return null;
    }
    const { core, postgres } = greeting.data;
    return new DbtDriver(child, child.stdin, answers, stderr, { core, postgres });
  }

  /** Runs one invocation. One at a time: the caller waits for the answer before the next. */
  async request({ args, env, timeoutMs }: DriverRequest): Promise<DbtAnswer> {
    const id = this.#nextId++;
    this.#stdin.write(`${JSON.stringify({ id, args, env })}\n`);
    let timedOut = false;
    const timer =
      timeoutMs === null
        ? null
        : setTimeout(() => {
            timedOut = true;
            void this.stop();
          }, timeoutMs);
    try {
      const line = await this.#answers.next();
      if (timedOut) {
        throw new DbtError(
          'timeout',
          `dbt was stopped after ${String((timeoutMs ?? 0) / 1000)} s`,
          'Give it more time, or look in the database for what it waited for.',
        );
      }
      if (line.done === true) {
        throw new DbtError(
          'crashed',
          `dbt ended by itself. Its last words: ${this.#stderr()}`,
          'Run `dbt build` by hand to see more; if it was killed, look for a lack of memory.',
        );
      }
      return answerSchema.parse(jsonOf(line.value));
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }

  /** Cancels what runs and ends the process; one that does not react is killed. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#exited) return;
    const exited = once(this.#child, 'exit');
    // The driver takes the end of its input for Ctrl-C, and ends once dbt has let go of its
    // connections.
    this.#stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CANCEL_MS);
    await exited;
    clearTimeout(timer);
  }
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function lastOutput(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-STDERR_LIMIT);
  });
  return () => text.trim();
}
