/**
 * Sprocket's own share of the demo: `node bench/engine.ts`. What all its processes compute, against
 * the time that its workers are there; the rest of that they wait for the database, dbt and git.
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
  lived: z.number(),
});
type ProcessRecord = z.infer<typeof recordSchema>;

export interface EngineResult {
  /** Procedures that were proven; with none of them the times say nothing. */
  readonly completed: number;
  /** From nothing to the branch, the start of the database included. */
  readonly seconds: number;
  /** Processor time of all of Sprocket's processes together. */
  readonly engineSeconds: number;
  /** How long all workers together were there. */
  readonly workerSeconds: number;
  /** `engineSeconds` of `workerSeconds`. */
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
    const records = await recordsIn(times);
    const engineSeconds = records.reduce((sum, { seconds: own }) => sum + own, 0);
    const workers = records.filter(({ program }) => program === 'worker.ts');
    const workerSeconds = workers.reduce((sum, { lived }) => sum + lived, 0);
    return {
      completed: procedures.filter(({ status }) => status.status === 'Completed').length,
      seconds: round(seconds),
      engineSeconds: round(engineSeconds),
      workerSeconds: round(workerSeconds),
      share: round(engineSeconds / workerSeconds),
      commands: byCommand(records),
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

/** Of Sprocket's own programs; the demo's script is none. */
async function recordsIn(folder: string): Promise<readonly ProcessRecord[]> {
  const records: ProcessRecord[] = [];
  for (const file of await readdir(folder)) {
    records.push(recordSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8'))));
  }
  return records.filter(({ program }) => program === 'main.ts' || program === 'worker.ts');
}

function byCommand(records: readonly ProcessRecord[]): Readonly<Record<string, number>> {
  const commands: Record<string, number> = {};
  for (const { program, arguments: given, seconds } of records) {
    const name = program === 'worker.ts' ? 'worker' : (given[0] ?? '');
    commands[name] = round((commands[name] ?? 0) + seconds);
  }
  return commands;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.main) console.table([await benchEngine()]);
