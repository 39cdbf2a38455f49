/**
 * How long it takes to assess a warehouse, and how much memory: `node bench/assess.ts`.
 *
 * Each measurement has a process of its own, so that none finds what another one left warm.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { openCatalog } from '../src/adapters/postgres/catalog-reader.ts';
import { openSandbox } from '../src/adapters/sandbox/open.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import { tameCompilers } from '../src/cli/compiler.ts';
import type { CatalogReader } from '../src/ports/catalog.ts';
import { assessDatabase } from '../src/usecases/assess.ts';
import { makeWarehouse, warehouseScript } from './warehouse/catalog.ts';

const resultSchema = z.strictObject({
  procedures: z.number(),
  /** `memory`: the catalog is there already. `database`: it is read from PostgreSQL. */
  catalog: z.enum(['memory', 'database']),
  /** From the call to the result, without the start of the process. */
  seconds: z.number(),
  /** Processor time of the whole process, its start included. */
  processorSeconds: z.number(),
  /** The most that the process ever held. */
  peakMegabytes: z.number(),
  likely: z.number(),
  manual: z.number(),
});

export type AssessResult = z.infer<typeof resultSchema>;

/** The variable in which a child finds its database. */
const VARIABLE = 'BENCH_URL';
const DATABASE = 'assess';

/** 1,000 and 10,000 procedures in memory, and 1,000 from a database. */
export async function benchAssess(): Promise<readonly AssessResult[]> {
  const results = [await measured(1_000), await measured(10_000)];
  const sandbox = await openSandbox(process.env.DATABASE_URL ?? null);
  try {
    await sandbox.create(DATABASE);
    const session = await sandbox.connect(DATABASE);
    await session.query(warehouseScript(makeWarehouse(1_000))).finally(() => session.close());
    const { host, port, user, password, database } = sandbox.parameters(DATABASE);
    const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    const url = `postgresql://${login}@${host}:${port}/${database}`;
    return [...results, await measured(1_000, url)];
  } finally {
    await sandbox.close();
  }
}

async function measured(procedures: number, url?: string): Promise<AssessResult> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [import.meta.filename, '--one', String(procedures)],
    { env: { ...process.env, [VARIABLE]: url ?? '' } },
  );
  return resultSchema.parse(JSON.parse(stdout));
}

async function measureHere(procedures: number): Promise<AssessResult> {
  tameCompilers();
  const url = process.env[VARIABLE] ?? '';
  const reader =
    url === '' ? fromMemory(procedures) : await openCatalog({ setting: VARIABLE, url });
  const started = performance.now();
  const assessment = await assessDatabase(reader, null, systemClock);
  const seconds = (performance.now() - started) / 1000;
  await reader.close();
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    procedures,
    catalog: url === '' ? 'memory' : 'database',
    seconds: round(seconds),
    processorSeconds: round((userCPUTime + systemCPUTime) / 1e6),
    peakMegabytes: Math.round((maxRSS * 1024) / 1e6),
    likely: assessment.ratings.Likely,
    manual: assessment.ratings.Manual,
  };
}

function fromMemory(procedures: number): CatalogReader {
  const catalog = makeWarehouse(procedures);
  return {
    readCatalog: () => Promise.resolve(catalog),
    missingRights: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { one: { type: 'string' } } });
  if (values.one === undefined) console.table(await benchAssess());
  else console.log(JSON.stringify(await measureHere(Number(values.one))));
}
