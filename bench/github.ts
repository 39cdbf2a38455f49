/**
 * What the App and the Action cost GitHub, and what webhooks cost the App: `npm run bench:github`.
 *
 * The App is a process of its own, as are the jobs, which are the built bundle; GitHub is the double
 * of the tests. Only the engine is left out: its outcomes are written to the tables as it would.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildAction } from '../scripts/build-action.ts';
import { openMetadata } from '../src/adapters/postgres/metadata.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import { step } from '../src/core/lifecycle/step.ts';
import { translateIncluded } from '../src/usecases/run.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import { readCatalog } from '../src/usecases/run-knowledge.ts';
import type { Metadata } from '../src/ports/metadata.ts';
import { connectTo, openScratchServer } from '../test/adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../test/adapters/postgres/scratch-database.ts';
import { planText } from '../test/core/checkrun/plans.ts';
import { PRIVATE_KEY } from '../test/github/auth.ts';
import { GitHubDouble } from '../test/github/double.ts';
import type { LoggedRequest } from '../test/github/double.ts';
import { recordedPayloads } from '../test/github/events.ts';
import * as people from '../test/github/people.ts';
import { WorkflowRunner } from '../test/github/runner.ts';
import { APP, WEBHOOK_SECRET } from '../test/github/state.ts';
import type { RepositoryState } from '../test/github/state.ts';

const ROOT = join(import.meta.dirname, '..');
const BUNDLE = join(ROOT, 'build/action-bench');
const PORT = 3917;
const WORKERS = 4;
/** Steps in which the procedures of a run are completed, and milliseconds of each. */
const STEPS = 20;
const STEP = 400;
const PER_SECOND = 50;
const LATENCY_SECONDS = 20;
const DELIVERIES = 10_000;
/** Calls that a report makes, and a writing of plan.md: as many as the run takes time. */
const BY_TIME = /check-runs\/\{check_run_id\}$|issues\/\{issue_number\}$/u;

const [what = 'all', ...sizes] = process.argv.slice(2);
const double = await GitHubDouble.start();
const app = await startApp();
try {
  if (what !== 'webhooks') {
    await buildAction(BUNDLE);
    const server = await openScratchServer();
    for (const size of sizes.length > 0 ? sizes.map(Number) : [10, 100, 1_000]) {
      await measureRun(server, size);
    }
    await server.close();
  }
  if (what !== 'calls') await measureWebhooks();
} finally {
  app.kill('SIGKILL');
  await double.stop();
}

async function startApp(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(ROOT, 'app/main.ts')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(PORT),
      LOG_LEVEL: 'warn',
      GITHUB_API_URL: double.url,
      APP_ID: String(APP.id),
      PRIVATE_KEY,
      WEBHOOK_SECRET,
      SPROCKET_TEST_SPEED: '1',
    },
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (let tries = 0; tries < 300; tries += 1) {
    await sleep(100);
    if ((await waiting()) !== null) return child;
  }
  throw new Error('The App does not start.');
}

/** Deliveries that the App has taken and not done; null while it does not listen. */
async function waiting(): Promise<number | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${PORT}/health`);
    const answer: unknown = await response.json();
    return typeof answer === 'object' && answer !== null && 'waiting' in answer
      ? Number(answer.waiting)
      : null;
  } catch {
    return null;
  }
}

async function measureRun(server: ScratchServer, size: number): Promise<void> {
  const url = await server.create(`github_bench_${size}`);
  const sql = await connectTo(url);
  const tables = Array.from({ length: size }, (_, at) => `dw.t${at}`);
  await sql.query('CREATE SCHEMA src; CREATE SCHEMA dw; CREATE TABLE src.s (id int PRIMARY KEY)');
  for (let start = 0; start < size; start += 100) {
    const part = tables.slice(start, start + 100).map(
      (table) => `CREATE TABLE ${table} (id int);
        CREATE PROCEDURE ${table.replace('.t', '.load_')}() LANGUAGE sql AS
        $$ TRUNCATE ${table}; INSERT INTO ${table} SELECT id FROM src.s WHERE id > ${start} $$;`,
    );
    await sql.query(part.join('\n'));
  }
  await sql.close();
  const metadata = await openMetadata({
    open: () => connectTo(url),
    schema: 'wirekite',
    clock: systemClock,
  });
  await metadata.migrate();
  const repository = double.addRepository('acme', `migration-${size}`, { 'README.md': 'hello' });
  const production = double.addRepository('acme', `analytics-${size}`, { 'README.md': 'dbt' });
  const runner = new WorkflowRunner(double, BUNDLE, {
    SOURCE_DATABASE_URL: url,
    TARGET_DATABASE_URL: url,
    SANDBOX_DATABASE_URL: url,
    SPROCKET_DBT: join(ROOT, '.venv/bin/dbt'),
  });
  const text = planText(
    tables.map((table) => ({ name: `${table.replace('.t', '.load_')}()` })),
    'bench',
  ).replace(
    'url: TARGET_DATABASE_URL }',
    `url: TARGET_DATABASE_URL }\nsandbox: { url: SANDBOX_DATABASE_URL }\nproduction: { repository: acme/${production.name} }\nworkers: ${WORKERS}`,
  );
  double.webhookUrl = `http://127.0.0.1:${PORT}/api/github/webhooks`;
  double.requests.splice(0);
  people.push(double, repository, { 'plan.md': text });
  await until(() => runner.results.some(({ command }) => command === 'plan'));
  const [planned] = runner.results;
  if (planned?.status !== 0) throw new Error(planned?.log);
  // The engine's part is played below: the workers wait, and report.
  await metadata.setAction('PAUSE');
  const mark = double.requests.length;
  await completeAll(metadata, text);
  await metadata.setAction('RUN');
  await runner.settled();
  await idle();
  double.webhookUrl = null;
  report(size, double.requests.splice(0), mark, repository, production);
  await runner.close();
  await metadata.close();
}

/** Writes what the engine leaves in the tables, a part of the procedures at a time. */
async function completeAll(metadata: Metadata, text: string): Promise<void> {
  const { plan } = parsePlan(text);
  if (plan === null) throw new Error('the plan is wrong');
  const translations = await translateIncluded(plan, await readCatalog(metadata, 'bench'));
  const per = Math.ceil(translations.length / STEPS);
  for (let start = 0; start < translations.length; start += per) {
    const part = translations.slice(start, start + per);
    const ids = part.map(({ routine }) => routine);
    const at = systemClock.now();
    await metadata.change('bench', ids, (members) => {
      const claimed = step(
        members,
        ids.map((id) => ({ id, type: 'claim', claim: 'bench', at })),
      );
      const running = new Map(
        [...members].map(([id, member]) => [
          id,
          { ...member, state: claimed.states.get(id) ?? member.state },
        ]),
      );
      const finished = step(
        running,
        ids.map((id) => ({
          id,
          type: 'finish',
          claim: 'bench',
          at,
          proof: 'proven',
          failure: null,
        })),
      );
      return {
        states: finished.states,
        artifacts: part.map((translation) => ({
          id: translation.routine,
          kind: 'translation' as const,
          contents: new Map([['', JSON.stringify(translation)]]),
        })),
        logs: ids.map((id) => ({ id, at, level: 'info' as const, message: 'Proven.' })),
      };
    });
    double.rates.forget();
    await sleep(STEP);
  }
}

function report(
  size: number,
  requests: readonly LoggedRequest[],
  mark: number,
  repository: RepositoryState,
  production: RepositoryState,
): void {
  const updates = requests.filter(
    ({ method, template }) => method === 'PATCH' && template.includes('check-runs'),
  ).length;
  const statuses = requests.filter(({ template }) => template === '/graphql').length;
  const byTime = requests.slice(mark).filter(({ template }) => BY_TIME.test(template)).length;
  console.log(
    `${size} procedures: ${requests.length} calls, ${requests.length - byTime} of them not by time; ` +
      `${updates} updates of the check run; ${statuses} GraphQL; ` +
      `${[...repository.checks.values()].at(-1)?.title}; ` +
      `pull requests: ${[...production.issues.values()].length}`,
  );
  const counts = new Map<string, number>();
  for (const { method, template } of requests) {
    const key = `${method} ${template}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const [key, count] of [...counts].toSorted((a, b) => b[1] - a[1])) {
    console.log(`  ${String(count).padStart(4)} ${key}`);
  }
}

async function measureWebhooks(): Promise<void> {
  const repository = double.addRepository('acme', 'busy', { 'README.md': 'hello' });
  const payloads = recordedPayloads().flatMap(({ name, examples }) =>
    examples.map((payload) => ({
      event: name,
      payload: {
        ...payload,
        installation: { id: APP.installation },
        ...('repository' in payload
          ? { repository: { name: repository.name, owner: { login: 'acme' } } }
          : {}),
      },
    })),
  );
  const send = async (number: number): Promise<number> => {
    const { event, payload } = payloads[number % payloads.length] ?? { event: 'ping', payload: {} };
    const delivery = {
      id: number,
      guid: `bench-${number}`,
      event,
      payload,
      at: new Date().toISOString(),
      redelivery: false,
      status: 0,
    };
    const began = performance.now();
    const status = await double.deliver(delivery, `http://127.0.0.1:${PORT}/api/github/webhooks`);
    if (status !== 200) throw new Error(`${event}: ${status}`);
    return performance.now() - began;
  };
  const forget = setInterval(() => double.rates.forget(), 500);
  const before = memory();
  const times: Promise<number>[] = [];
  const began = performance.now();
  for (let number = 0; number < PER_SECOND * LATENCY_SECONDS; number += 1) {
    const due = began + (number * 1_000) / PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    times.push(send(number));
  }
  const sorted = (await Promise.all(times)).toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  console.log(
    `webhooks at ${PER_SECOND} a second for ${LATENCY_SECONDS} s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${sorted.at(-1)?.toFixed(0)} ms`,
  );
  for (let number = times.length; number < DELIVERIES; number += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, more) => send(number + more)));
    while (((await waiting()) ?? 0) > 500) await sleep(50);
  }
  await idle();
  clearInterval(forget);
  console.log(
    `memory of the App: ${before} MB before, ${memory()} MB after ${DELIVERIES.toLocaleString('en')} deliveries`,
  );
}

async function idle(): Promise<void> {
  while (((await waiting()) ?? 0) > 0) {
    double.rates.forget();
    await sleep(100);
  }
  await double.settled();
}

function memory(): number {
  const status = readFileSync(`/proc/${app.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1] ?? 0) / 1024);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    double.rates.forget();
    await sleep(50);
  }
}
