#!/usr/bin/env node
/**
 * `npm run demo`: the sample warehouse from stored procedures to a proven dbt project, on this
 * machine. What it makes is in `.sprocket/demo`, or in the folder that is given; a second run goes on
 * where the first one ended.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { checkOutBranch } from '../src/adapters/git/checkout.ts';
import { connect } from '../src/adapters/postgres/connection.ts';
import { formatSeconds } from '../src/core/report/text.ts';
import type { SqlSession } from '../src/ports/sandbox.ts';
import { openDemoServer } from './demo-server.ts';
import { memoryFolder } from './memory-folder.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = resolve(process.argv[2] ?? join(ROOT, '.sprocket', 'demo'));
/** The migration repository, with plan.md. */
const REPOSITORY = join(FOLDER, 'warehouse');
/** The run's branch as files. */
const BRANCH = join(FOLDER, 'branch');
const EXAMPLE = join(ROOT, 'examples', 'retail');
const NAME = 'tidewater-coffee';
const DATABASE = 'sprocket_demo';
/** The sample has a MERGE … WHEN NOT MATCHED BY SOURCE. */
const OLDEST_SERVER = 170_000;
const NEEDS_PERSON = 1;
/** Rows of a table that are enough for a demo; a plan of one's own takes five times as many. */
const SAMPLE = '20000';

interface Server {
  url(database: string): string;
  stop(): Promise<void>;
}

async function main(): Promise<number> {
  const started = performance.now();
  const setup = await node(join(ROOT, 'scripts', 'setup.ts'), [], {});
  if (setup !== 0) return setup;
  const server = (await givenServer()) ?? (await openDemoServer(join(FOLDER, 'postgres')));
  try {
    await loadWarehouse(server);
    const url = server.url(DATABASE);
    const environment = { SOURCE_DATABASE_URL: url, TARGET_DATABASE_URL: url };
    const drafted = await draftPlan(environment);
    if (drafted !== 0) return drafted;
    const sandbox = process.env.TMPDIR ?? memoryFolder();
    const status = await sprocket(['run', '--plan', join(REPOSITORY, 'plan.md')], {
      ...environment,
      ...(sandbox === null ? {} : { TMPDIR: sandbox }),
    });
    if (status !== 0 && status !== NEEDS_PERSON) return status;
    await checkOutBranch(REPOSITORY, `sprocket/${NAME}`, BRANCH);
    tellEnd(status, (performance.now() - started) / 1000);
    return 0;
  } finally {
    await server.stop();
  }
}

/** The server of DATABASE_URL; null where there is none, or it is too old. */
async function givenServer(): Promise<Server | null> {
  const given = process.env.DATABASE_URL ?? '';
  if (given === '') return null;
  const session = await connect({ setting: 'DATABASE_URL', url: given });
  const version = Number((await session.query('SHOW server_version_num')).rows[0]?.[0]);
  await session.close();
  if (version < OLDEST_SERVER) {
    console.log('The sample needs PostgreSQL 17: taking an embedded one, not DATABASE_URL.');
    return null;
  }
  return {
    url: (database) => {
      const url = new URL(given);
      url.pathname = `/${database}`;
      return url.href;
    },
    stop: () => Promise.resolve(),
  };
}

/** Makes the warehouse where it is not there yet. */
async function loadWarehouse(server: Server): Promise<void> {
  const maintenance = await connect({ setting: 'DATABASE_URL', url: server.url('postgres') });
  try {
    const sql = 'SELECT FROM pg_database WHERE datname = $1';
    if ((await maintenance.query(sql, [DATABASE])).rowCount > 0) return;
    console.log('Making the sample warehouse: 42,000 orders of a coffee roastery …');
    // Under another name until it is whole: a demo that was interrupted begins again.
    const draft = `${DATABASE}_loading`;
    await maintenance.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await maintenance.query(`CREATE DATABASE ${draft} TEMPLATE template0 ENCODING 'UTF8'`);
    const session = await connect({ setting: 'DATABASE_URL', url: server.url(draft) });
    await load(session).finally(() => session.close());
    await maintenance.query(`ALTER DATABASE ${draft} RENAME TO ${DATABASE}`);
  } finally {
    await maintenance.close();
  }
}

async function load(session: SqlSession): Promise<void> {
  for (const file of ['schema.sql', 'procedures.sql', 'data.sql']) {
    await session.query(readFileSync(join(EXAMPLE, file), 'utf8'));
  }
  await session.query('ANALYZE');
}

/** Drafts plan.md from the warehouse and commits it, as a team would. */
async function draftPlan(environment: Readonly<Record<string, string>>): Promise<number> {
  mkdirSync(REPOSITORY, { recursive: true });
  const plan = join(REPOSITORY, 'plan.md');
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' });
  if (!existsSync(join(REPOSITORY, '.git'))) git('init', '--quiet', '--initial-branch=main');
  if (!existsSync(plan)) {
    const workers = String(Math.min(4, availableParallelism()));
    const size = ['--workers', workers, '--max-rows', SAMPLE];
    const args = ['plan', '--name', NAME, ...size, '--out', plan];
    const status = await sprocket(args, environment);
    if (status !== 0) return status;
  }
  if (git('status', '--porcelain', 'plan.md') !== '') {
    git('add', 'plan.md');
    const person = ['-c', 'user.name=Demo', '-c', 'user.email=demo@example.com'];
    git(...person, 'commit', '--quiet', '--message', 'Plan the migration');
  }
  return 0;
}

function sprocket(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  return node(join(ROOT, 'src', 'cli', 'main.ts'), args, environment);
}

/** Runs a program of ours on this terminal; Ctrl-C reaches it too, and it ends in good order. */
async function node(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  await once(child, 'exit');
  return child.exitCode ?? NEEDS_PERSON;
}

function tellEnd(status: number, seconds: number): void {
  const summary = readFileSync(join(BRANCH, 'MIGRATION.md'), 'utf8').split('\n\n');
  const here = (path: string): string => relative(process.cwd(), path);
  console.log(
    [
      '',
      ...summary.slice(1, 3).map((text) => text.replaceAll(/[*]+/gu, '')),
      '',
      `Branch:       sprocket/${NAME} in ${here(REPOSITORY)}`,
      `dbt project:  ${here(join(BRANCH, 'transform'))}`,
      `Summary:      ${here(join(BRANCH, 'MIGRATION.md'))}`,
      ...(status === NEEDS_PERSON
        ? [
            '',
            'What is left for a person is there on purpose: the sample holds a procedure that is',
            'broken and one that no machine should translate.',
          ]
        : []),
      '',
      `Done in ${formatSeconds(seconds)}. Run it again: it goes on where it was, and does nothing twice.`,
    ].join('\n'),
  );
}

// The programs that it starts get the signal too; this one ends after them, and stops the server.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.exitCode = await main();
