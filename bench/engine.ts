/**
 * Sprocket's own share of the demo: `node bench/engine.ts`. What its processes compute, against the
 * time of the whole; the rest is the database's, dbt's and git's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { parsePlan } from '../src/core/plan/parse.ts';

const ROOT = join(import.meta.dirname, '..');

const recordSchema = z.strictObject({
  program: z.string(),
  arguments: z.array(z.string()),
  seconds: z.number(),
});

export interface EngineResult {
  /** Procedures that were proven; with none of them the times say nothing. */
  readonly completed: number;
  /** From nothing to the branch, the start of the database included. */
  readonly seconds: number;
  /** Processor time of all of Sprocket's processes together, as if they ran one after the other. */
  readonly engineSeconds: number;
  /** `engineSeconds` of `seconds`. */
  readonly share: number;
  /** Processor time by command. */
  readonly commands: Readonly<Record<string, number>>;
}

/** Runs the demo in a folder of its own, with an embedded PostgreSQL. */
export async function benchEngine(): Promise<EngineResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sprocket-bench-'));
  try {
    const times = join(folder, 'times');
    await mkdir(times);
    const started = performance.now();
    await demo(join(folder, 'demo'), times);
    const seconds = (performance.now() - started) / 1000;
    const branch = await readFile(join(folder, 'demo', 'branch', 'plan.md'), 'utf8');
    const procedures = parsePlan(branch).plan?.procedures ?? [];
    const commands = await timesIn(times);
    const engineSeconds = Object.values(commands).reduce((sum, each) => sum + each, 0);
    return {
      completed: procedures.filter(({ status }) => status.status === 'Completed').length,
      seconds: round(seconds),
      engineSeconds: round(engineSeconds),
      share: round(engineSeconds / seconds),
      commands,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function demo(folder: string, times: string): Promise<void> {
  const { DATABASE_URL: _, ...environment } = process.env;
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'demo.ts'), folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...environment,
      SPROCKET_BENCH_TIMES: times,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'processor-time.ts')}`,
    },
  });
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`The demo ended with status ${child.exitCode}.`);
}

async function timesIn(folder: string): Promise<Readonly<Record<string, number>>> {
  const commands: Record<string, number> = {};
  for (const file of await readdir(folder)) {
    const record = recordSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
    if (record.program !== 'main.ts') continue;
    const name = record.arguments[0] ?? '';
    commands[name] = round((commands[name] ?? 0) + record.seconds);
  }
  return commands;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.main) console.table([await benchEngine()]);
