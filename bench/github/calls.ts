/** How many calls of GitHub's API a run takes. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openMetadata } from '../../src/adapters/postgres/metadata.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { step } from '../../src/core/lifecycle/step.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Metadata } from '../../src/ports/metadata.ts';
import { translateIncluded } from '../../src/usecases/run.ts';
import { readCatalog } from '../../src/usecases/run-knowledge.ts';
import { connectTo } from '../../test/adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../../test/adapters/postgres/scratch-database.ts';
import { planText } from '../../test/core/checkrun/plans.ts';
import type { GitHubDouble, LoggedRequest } from '../../test/github/double.ts';
import { claimsOf } from '../../test/github/oidc.ts';
import * as people from '../../test/github/people.ts';
import { WorkflowRunner } from '../../test/github/runner.ts';
import { ROOT } from './app.ts';
import type { BenchedApp } from './app.ts';

export const BUNDLE = join(ROOT, 'build/action-bench');
const WORKERS = 4;
/** Steps in which the procedures of a run are completed, and milliseconds of each. */
const STEPS = 20;
const STEP = 400;

export async function measureCalls(
  { double, issuer, url: appUrl, webhookUrl, idle }: BenchedApp,
  server: ScratchServer,
  size: number,
): Promise<void> {
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
  const runner = new WorkflowRunner(
    double,
    BUNDLE,
    {
      SOURCE_DATABASE_URL: url,
      TARGET_DATABASE_URL: url,
      SANDBOX_DATABASE_URL: url,
      SPROCKET_DBT: join(ROOT, '.venv/bin/dbt'),
    },
    (own) => ({
      inputs: { 'app-url': appUrl },
      environment: issuer.environment(claimsOf(own)),
    }),
  );
  const text = planText(
    tables.map((table) => ({ name: `${table.replace('.t', '.load_')}()` })),
    'bench',
  ).replace(
    'url: TARGET_DATABASE_URL }',
    `url: TARGET_DATABASE_URL }\nsandbox: { url: SANDBOX_DATABASE_URL }\nproduction: { repository: acme/${production.name} }\nworkers: ${WORKERS}`,
  );
  double.webhookUrl = webhookUrl;
  double.requests.splice(0);
  people.push(double, repository, { 'plan.md': text });
  await until(double, () => runner.results.some(({ command }) => command === 'plan'));
  const [planned] = runner.results;
  if (planned?.status !== 0) throw new Error(planned?.log);
  // The engine's part is played below: the workers wait, and report.
  await metadata.setAction('PAUSE');
  const workers: unknown = JSON.parse(planned.outputs['workers'] ?? '[]');
  const count = Array.isArray(workers) ? workers.length : 0;
  const from = double.requests.length;
  await completeAll(double, metadata, text);
  await metadata.setAction('RUN');
  await until(
    double,
    () => runner.results.filter(({ command }) => command === 'work').length === count,
  );
  const to = double.requests.length;
  await runner.settled();
  await idle();
  double.webhookUrl = null;
  const requests = double.requests.splice(0);
  const byTime = requests.slice(from, to).filter(isByTime).length;
  print(
    size,
    requests,
    byTime,
    `${[...repository.checks.values()].at(-1)?.title}; pull requests: ${production.issues.size}`,
  );
  await runner.close();
  await metadata.close();
}

/** Writes what the engine leaves in the tables, a part of the procedures at a time. */
async function completeAll(double: GitHubDouble, metadata: Metadata, text: string): Promise<void> {
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

/**
 * What grows with the time that workers take, of what is called meanwhile: check run and monitor issue
 * with the reading that goes before, and plan.md on the run's branch.
 */
function isByTime({ template }: LoggedRequest): boolean {
  return /\/check-runs\/\{|\/issues\/\{|\/git\/|^\/graphql$/u.test(template);
}

function print(
  size: number,
  requests: readonly LoggedRequest[],
  byTime: number,
  outcome: string,
): void {
  console.log(
    `${size} procedures: ${requests.length} calls, ${requests.length - byTime} of them not by time; ${outcome}`,
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

async function until(double: GitHubDouble, holds: () => boolean): Promise<void> {
  while (!holds()) {
    double.rates.forget();
    await sleep(50);
  }
}
