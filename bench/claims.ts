/**
 * Claims per second: how fast 1, 4 and 16 worker processes take procedures, one at a time, and
 * record their outcomes, with nothing else to do. `node bench/claims.ts [--json FILE]`.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { connect } from '../src/adapters/postgres/connection.ts';
import { openMetadata } from '../src/adapters/postgres/metadata.ts';
import { openSandbox } from '../src/adapters/sandbox/open.ts';
import { step } from '../src/core/lifecycle/step.ts';
import { transition } from '../src/core/lifecycle/transition.ts';
import type { Metadata } from '../src/ports/metadata.ts';

const PROCEDURES = 1_000;
const WORKERS = [1, 4, 16];
const PLAN = 'bench';

export interface ClaimsResult {
  readonly workers: number;
  readonly claims: number;
  readonly seconds: number;
  readonly claimsPerSecond: number;
}

/** Measures each number of workers once, on DATABASE_URL's server or an embedded PostgreSQL. */
export async function benchClaims(): Promise<readonly ClaimsResult[]> {
  const sandbox = await openSandbox(process.env.DATABASE_URL ?? null);
  try {
    const results: ClaimsResult[] = [];
    for (const workers of WORKERS) {
      await sandbox.create('claims');
      const { host, port, user, password, database } = sandbox.parameters('claims');
      const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
      results.push(await measure(`postgresql://${login}@${host}:${port}/${database}`, workers));
    }
    return results;
  } finally {
    await sandbox.close();
  }
}

async function measure(url: string, workers: number): Promise<ClaimsResult> {
  const metadata = await open(url);
  await metadata.migrate();
  await metadata.start(
    {
      plan: PLAN,
      planText: '',
      baseCommit: null,
      at: new Date().toISOString(),
      // Each waits for another one, as half of a real run does.
      procedures: Array.from({ length: PROCEDURES }, (_, index) => ({
        id: `dw.p${index}()`,
        dependsOn: index % 2 === 1 ? [`dw.p${index - 1}()`] : [],
        pipelines: [],
      })),
      pipelines: [],
    },
    (members) => ({ states: step(members, []).states }),
  );
  const children = Array.from({ length: workers }, (_, index) =>
    fork(import.meta.filename, ['--worker', `w${index}`], {
      env: { ...process.env, BENCH_URL: url },
    }),
  );
  await Promise.all(children.map((child) => message(child)));
  const start = performance.now();
  for (const child of children) child.send('go');
  const counts = await Promise.all(children.map((child) => message(child)));
  const seconds = (performance.now() - start) / 1000;
  await metadata.close();
  const claims = counts.reduce((sum, count) => sum + count, 0);
  if (claims !== PROCEDURES) throw new Error(`${claims} claims for ${PROCEDURES} procedures`);
  return {
    workers,
    claims,
    seconds: Math.round(seconds * 100) / 100,
    claimsPerSecond: Math.round(claims / seconds),
  };
}

function message(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(Number(value)));
    child.once('exit', (code) => reject(new Error(`A worker ended with status ${code}.`)));
  });
}

function open(url: string): Promise<Metadata> {
  return openMetadata({
    open: () => connect({ setting: 'BENCH_URL', url }),
    schema: 'wirekite',
    clock: {
      now: () => new Date().toISOString(),
      sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    },
  });
}

/** One worker process: says that it is ready, waits, works, says how many it took. */
async function work(name: string): Promise<void> {
  const metadata = await open(process.env.BENCH_URL ?? '');
  await metadata.join(PLAN);
  const go = new Promise((resolve) => process.once('message', resolve));
  process.send?.(0);
  await go;
  let claims = 0;
  for (;;) {
    const claim = `${name}.${claims}`;
    const at = new Date().toISOString();
    const [member] = await metadata.claim(PLAN, 1, ({ state }, crashed) => {
      const result = transition(state, { type: crashed ? 'take over' : 'claim', claim, at });
      return result.ok ? result.state : null;
    });
    if (member === undefined) {
      const counts = await metadata.counts(PLAN);
      if (counts.get('Completed') === PROCEDURES) break;
      continue;
    }
    const { id } = member;
    await metadata.change(PLAN, [id], (members) => ({
      states: step(members, [{ id, type: 'finish', claim, at, proof: 'proven', failure: null }])
        .states,
    }));
    await metadata.unlock(PLAN, [id]);
    claims += 1;
  }
  await metadata.close();
  process.send?.(claims);
  process.disconnect();
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { worker: { type: 'string' }, json: { type: 'string' } },
  });
  if (values.worker === undefined) {
    const results = await benchClaims();
    console.table(results);
    if (values.json !== undefined)
      await writeFile(values.json, JSON.stringify({ claims: results }));
  } else {
    await work(values.worker);
  }
}
