import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDbtRunner } from '../../../src/adapters/dbt/runner.ts';
import type { DbtRunner } from '../../../src/ports/dbt.ts';
import { DbtError } from '../../../src/ports/dbt.ts';
import { failures, openHarness, ROOT } from './harness.ts';
import type { Harness, TestDatabase } from './harness.ts';

const VENV = join(ROOT, '.venv', 'bin');
let harness: Harness;
let database: TestDatabase;
let scratch: string;
const open: DbtRunner[] = [];

beforeAll(async () => {
  harness = await openHarness();
  database = await harness.database(
    'create table public.numbers (n integer); insert into numbers values (1), (2)',
  );
  scratch = await mkdtemp(join(tmpdir(), 'sprocket-runner-test-'));
});
afterEach(async () => {
  for (const runner of open.splice(0)) await runner.close();
});
afterAll(async () => {
  await harness.close();
  await rm(scratch, { recursive: true, force: true });
});

/** A project with these models; `vars` and the rest as dbt has them by default. */
function project(models: Readonly<Record<string, string>>): Promise<string> {
  return harness.folder([
    { path: 'dbt_project.yml', text: "name: demo\nversion: '1.0.0'\nprofile: not_there\n" },
    ...Object.entries(models).map(([name, text]) => ({ path: `models/${name}`, text })),
  ]);
}

function runner(env: NodeJS.ProcessEnv = {}, roots: readonly string[] = [ROOT]): DbtRunner {
  const created = createDbtRunner({ env: { ...process.env, ...env }, roots });
  open.push(created);
  return created;
}

async function script(name: string, text: string): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

/** Runs dbt as a command: nothing beside it tells of a Python. */
const wrapper = () => script('dbt-wrapped', `#!/bin/sh\nexec "${join(VENV, 'dbt')}" "$@"\n`);

async function errorOf(promise: Promise<unknown>): Promise<DbtError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DbtError)) throw new Error(`no DbtError: ${String(error)}`);
  return error;
}

const MODELS = {
  'a.sql': `select n + {{ var('add', '0') }} as n from numbers`,
  'b.sql': `{{ config(materialized='table') }} select * from {{ ref('a') }}`,
  'a.yml':
    "models:\n  - name: a\n    columns:\n      - name: n\n        data_tests:\n          - accepted_values: {arguments: {values: [1, 2], quote: false}}\nunit_tests:\n  - name: all_of_a\n    model: b\n    given: [{input: ref('a'), rows: [{n: 7}]}]\n    expect: {rows: [{n: 7}]}\n",
};

describe.each([
  ['python', async () => ({})],
  ['command', async () => ({ SPROCKET_DBT: await wrapper() })],
] as const)('as %s', (mode, environment) => {
  it('tells its version', async () => {
    const version = await runner(await environment()).version();
    expect(version).toMatchObject({
      mode,
      core: expect.stringMatching(/^1\.11\./u),
      postgres: expect.stringMatching(/^1\./u),
    });
  });

  it('gives a result for every node, and the compiled SQL', async () => {
    const dbt = runner(await environment());
    const projectDir = await project(MODELS);
    const request = { projectDir, connection: database.connection, select: [], threads: 2 };
    const result = await dbt.build({ ...request, vars: {} });
    expect(result.ok).toBe(true);
    expect(result.warnings).toEqual([]);
    const about = (name: string) => result.nodes.find((node) => node.name.startsWith(name))?.model;
    expect([about('accepted'), about('all_of_a'), about('b')]).toEqual(['a', 'b', null]);
    expect(
      result.nodes.map(({ name, resource, status, rows }) => [
        name.slice(0, 15),
        resource,
        status,
        rows,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['a', 'model', 'success', null],
        ['b', 'model', 'success', 2],
        ['accepted_values', 'test', 'pass', 1],
      ]),
    );
    const compiled = result.nodes.find(({ name }) => name === 'a')?.compiledPath ?? '';
    expect(await readFile(compiled, 'utf8')).toBe('select n + 0 as n from numbers');
    expect(await readdir(projectDir)).toEqual(['dbt_project.yml', 'models']);

    const failed = await dbt.build({ ...request, vars: { add: '5' } });
    expect(failed.ok).toBe(false);
    expect(
      failed.nodes.map(({ name, status, failures: rows }) => [name.slice(0, 15), status, rows]),
    ).toEqual(
      expect.arrayContaining([
        ['a', 'success', null],
        ['b', 'skipped', null],
        ['accepted_values', 'fail', 2],
      ]),
    );
    const some = await dbt.build({ ...request, vars: {}, select: ['b'], resources: ['model'] });
    expect(some.nodes.map(({ name }) => name)).toEqual(['b']);
  });

  it('tells a project that dbt does not take from a database that is not there', async () => {
    const dbt = runner(await environment());
    const broken = await project({ 'a.sql': `select * from {{ ref('nowhere') }}` });
    const bad = await errorOf(
      dbt.parse({ projectDir: broken, connection: database.connection, vars: {} }),
    );
    expect([bad.code, bad.message]).toEqual([
      'project',
      expect.stringContaining("'nowhere' which was not found"),
    ]);

    const request = { projectDir: await project(MODELS), vars: {}, select: [], threads: 1 };
    const gone = { ...database.connection, port: 1, password: 'se-cr-et-7' };
    const away = await errorOf(dbt.build({ ...request, connection: gone }));
    expect(away.code).toBe('connection');
    expect(away.message).not.toContain('se-cr-et-7');
  });

  it('stops what takes too long, and can be used again', async () => {
    const dbt = runner(await environment());
    const projectDir = await project({
      'slow.sql': `select pg_sleep(600 * {{ var('on') }})::text as s`,
    });
    const request = { projectDir, connection: database.connection, select: [], threads: 1 };
    const slow = await project({
      'slow.sql': `{{ config(materialized='table') }} select pg_sleep(600)::text as s`,
    });
    const error = await errorOf(
      dbt.build({ ...request, projectDir: slow, vars: {}, timeoutMs: 6_000 }),
    );
    expect(error.code).toBe('timeout');
    const running = `select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid() and state = 'active' and datname = current_database()`;
    await expect.poll(() => database.rows(running), { timeout: 10_000 }).toEqual([['0']]);
    expect((await dbt.build({ ...request, vars: { on: '0' } })).ok).toBe(true);
  });
});

it('ignores settings of dbt in the caller’s environment', async () => {
  const dbt = runner({
    DBT_TARGET: 'elsewhere',
    DBT_FULL_REFRESH: '1',
    DBT_PROJECT_DIR: '/nowhere',
    DBT_WARN_ERROR: '1',
  });
  const result = await dbt.build({
    projectDir: await project(MODELS),
    connection: database.connection,
    vars: {},
    select: [],
    threads: 1,
  });
  expect(failures(result)).toEqual([]);
});

it('answers callers who ask at the same time one after the other', async () => {
  const dbt = runner();
  const projectDir = await project(MODELS);
  const request = {
    projectDir,
    connection: database.connection,
    vars: {},
    select: ['a'],
    threads: 1,
  };
  const results = await Promise.all([dbt.build(request), dbt.build(request), dbt.parse(request)]);
  expect(results.slice(0, 2).map((result) => 'ok' in result && result.ok)).toEqual([true, true]);
});

it('starts a new process where the old one was killed', async () => {
  const dbt = runner();
  const projectDir = await project({
    'slow.sql': `{{ config(materialized='table') }} select pg_sleep(601)::text as s`,
  });
  const request = { projectDir, connection: database.connection, vars: {}, select: [], threads: 1 };
  const crashed = errorOf(dbt.build(request));
  const busy = `select count(*) from pg_stat_activity where query like '%pg_sleep(601)%' and state = 'active' and pid <> pg_backend_pid()`;
  await expect.poll(() => database.rows(busy), { timeout: 60_000, interval: 200 }).toEqual([['1']]);
  const { stdout } = await promisify(execFile)('pgrep', [
    '-P',
    String(process.pid),
    '-f',
    'driver.py',
  ]);
  for (const pid of stdout.trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
  expect((await crashed).code).toBe('crashed');
  await database.run(
    `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(601)%' and pid <> pg_backend_pid()`,
  );
  const ok = await dbt.build({ ...request, projectDir: await project(MODELS) });
  expect(failures(ok)).toEqual([]);
});

it('closes while dbt runs: the build is stopped, and nothing is left behind', async () => {
  const dbt = runner();
  const projectDir = await project({
    'slow.sql': `{{ config(materialized='table') }} select pg_sleep(602)::text as s`,
  });
  const stopped = errorOf(
    dbt.build({ projectDir, connection: database.connection, vars: {}, select: [], threads: 1 }),
  );
  const busy = `select count(*) from pg_stat_activity where query like '%pg_sleep(602)%' and state = 'active' and pid <> pg_backend_pid()`;
  await expect.poll(() => database.rows(busy), { timeout: 60_000, interval: 200 }).toEqual([['1']]);
  await dbt.close();
  expect(['closed', 'crashed']).toContain((await stopped).code);
  await expect.poll(() => database.rows(busy), { timeout: 20_000, interval: 200 }).toEqual([['0']]);
  expect((await errorOf(dbt.version())).code).toBe('closed');
});

it('ends with the process that started it', async () => {
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { createDbtRunner } = await import(${JSON.stringify(join(ROOT, 'src/adapters/dbt/runner.ts'))});
       const dbt = createDbtRunner({ env: process.env, roots: [${JSON.stringify(ROOT)}] });
       await dbt.version();
       console.log('ready');
       setInterval(() => undefined, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => parent.stdout.once('data', resolve));
  const children = async () =>
    promisify(execFile)('pgrep', ['-P', String(parent.pid)]).then(
      ({ stdout }) => stdout.trim().split('\n'),
      () => [],
    );
  const [driver] = await children();
  expect(driver).toBeDefined();
  parent.kill('SIGKILL');
  const alive = () => {
    try {
      process.kill(Number(driver), 0);
      return true;
    } catch {
      return false;
    }
  };
  await expect.poll(alive, { timeout: 20_000, interval: 100 }).toBe(false);
});

describe('a dbt that can’t be used', () => {
  it('is missing', async () => {
    const error = await errorOf(runner({ PATH: scratch, SPROCKET_DBT: '' }, []).version());
    expect([error.code, error.advice]).toEqual([
      'missing',
      expect.stringContaining('scripts/setup.ts'),
    ]);
  });

  it('is named, but is no program', async () => {
    const error = await errorOf(runner({ SPROCKET_DBT: join(scratch, 'nothing') }).version());
    expect([error.code, error.message]).toEqual([
      'missing',
      expect.stringContaining('SPROCKET_DBT'),
    ]);
  });

  it.each([
    ['too-old', 'Core:\n  - installed: 1.7.9\nPlugins:\n  - postgres: 1.7.9'],
    ['no-adapter', 'Core:\n  - installed: 1.11.2\nPlugins:\n  - snowflake: 1.9.0'],
    ['missing', 'something else'],
  ])('is %s', async (code, output) => {
    const command = await script('dbt-fake', `#!/bin/sh\ncat <<'EOF'\n${output}\nEOF\n`);
    expect((await errorOf(runner({ SPROCKET_DBT: command }).version())).code).toBe(code);
  });

  it('may be one of a later generation, with PostgreSQL built in', async () => {
    const command = await script('dbt-two', `#!/bin/sh\necho 'dbt 2.0.3'\n`);
    expect(await runner({ SPROCKET_DBT: command }).version()).toEqual({
      core: '2.0.3',
      postgres: null,
      mode: 'command',
    });
  });
});
