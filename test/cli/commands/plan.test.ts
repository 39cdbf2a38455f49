import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { startMariadb } from '../../../scripts/servers.ts';
import type { TestServer } from '../../../scripts/servers.ts';
import { openConnection, query } from '../../../src/adapters/mysql/move_session.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import type { Sandbox } from '../../../src/ports/sandbox.ts';
import { makeFolder, urlOf } from './run.ts';
import type { Folder } from './run.ts';

const SQL = `
  CREATE SCHEMA dw; CREATE SCHEMA stg;
  CREATE TABLE stg.a (id integer PRIMARY KEY, v text); CREATE TABLE dw.t (id integer, v text);
  CREATE PROCEDURE dw.load() LANGUAGE sql AS 'TRUNCATE dw.t; INSERT INTO dw.t SELECT * FROM stg.a';
  CREATE PROCEDURE stg.other() LANGUAGE plpgsql AS 'BEGIN COPY stg.a TO ''/tmp/x''; END';
`;

let sandbox: Sandbox;
let folder: Folder;
let url: string;

beforeAll(async () => {
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('Sales Data');
  const session = await sandbox.connect('Sales Data');
  await session.query(SQL);
  await session.close();
  url = urlOf(sandbox.parameters('Sales Data'));
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const planFile = (): Promise<string> => readFile(join(folder.path, 'plan.md'), 'utf8');

describe('sprocket plan', () => {
  test('writes a plan that is fine, and never writes over one', async () => {
    const first = await folder.run(['plan'], { SOURCE_DATABASE_URL: url });
    expect(first).toMatchObject({ status: 0, error: '' });
    expect(first.out).toContain('Wrote plan.md: 1 of 2 procedures and 1 pipeline are included.');
    expect(first.out).toContain('TARGET_DATABASE_URL is not set');
    const { plan, problems } = parsePlan(await planFile());
    expect(problems).toEqual([]);
    expect(plan?.settings.name).toMatch(/^sprocket_sandbox_.*_sales-data$/u);
    expect(plan?.procedures.map(({ id, include }) => [id, include])).toEqual([
      ['dw.load()', true],
      ['stg.other()', false],
    ]);

    const again = await folder.run(['plan'], { SOURCE_DATABASE_URL: url });
    expect(again).toMatchObject({ status: 2, out: '' });
    expect(again.error).toContain('plan.md is there already');
    expect((await folder.run(['plan', '--force'], { SOURCE_DATABASE_URL: url })).status).toBe(0);
    expect((await folder.run(['check'])).status).toBe(0);
  });

  test('needs no pipelines where source and target are one database', async () => {
    const same = { SOURCE_DATABASE_URL: url, TARGET_DATABASE_URL: `${url}?application_name=x` };
    await folder.run(['plan'], same);
    expect(parsePlan(await planFile()).plan?.pipelines).toEqual([]);
    await folder.run(['plan', '--force', '--one-database'], { SOURCE_DATABASE_URL: url });
    expect(parsePlan(await planFile()).plan?.pipelines).toEqual([]);
    const other = urlOf({ ...sandbox.parameters('Sales Data'), database: 'other' });
    await folder.run(['plan', '--force'], { ...same, TARGET_DATABASE_URL: other });
    expect(parsePlan(await planFile()).plan?.pipelines).toHaveLength(1);
  });

  test('takes settings and schemas from the command line', async () => {
    const options =
      '--name sales --project dbt --workers 8 --in stg --source FROM --target TO --out -';
    const result = await folder.run(['plan', ...options.split(' ')], { FROM: url });
    const { plan } = parsePlan(`${result.out}\n`);
    expect(plan).toMatchObject({
      settings: {
        name: 'sales',
        workers: 8,
        source: { urlVariable: 'FROM' },
        production: { project: 'dbt' },
      },
      procedures: [{ id: 'stg.other()' }],
    });
  });

  test('as JSON', async () => {
    const result = await folder.run(['plan', '--json'], { SOURCE_DATABASE_URL: url });
    expect(JSON.parse(result.out)).toMatchObject({
      sprocket: 1,
      file: 'plan.md',
      waves: [['dw.load()']],
      cycles: [],
      procedures: [
        { name: 'dw.load()', include: true, rating: 'Likely', reasons: ['table'] },
        { name: 'stg.other()', include: false, rating: 'Manual' },
      ],
    });
  });

  test.each([
    [['plan'], {}, 2, 'SOURCE_DATABASE_URL is not set'],
    [['plan', '--workers', 'many'], {}, 2, 'whole number'],
    [['plan', '--in', 'nowhere'], null, 3, 'Schemas with routines: "dw", "stg".'],
    [
      ['plan'],
      { SOURCE_DATABASE_URL: 'postgresql://me:hunter2@127.0.0.1:1/db' },
      3,
      'no PostgreSQL server answers',
    ],
    [['plan'], { SOURCE_DATABASE_URL: 'hunter2' }, 3, 'not a PostgreSQL URL'],
  ] as const)('%o %o ends with %i', async (args, environment, status, text) => {
    const result = await folder.run(args, environment ?? { SOURCE_DATABASE_URL: url });
    expect(result.status).toBe(status);
    expect(result.error).toContain(text);
    expect(result.out + result.error).not.toContain('hunter2');
  });

  test('a folder that is not there', async () => {
    const result = await folder.run(['plan', '--out', 'no/plan.md'], { SOURCE_DATABASE_URL: url });
    expect(result).toMatchObject({ status: 2 });
    expect(result.error).toContain("no/plan.md can't be written");
  });
});

describe('sprocket check', () => {
  async function withPlan(change: (text: string) => string): Promise<void> {
    const { out } = await folder.run(['plan', '--name', 'sales', '--out', '-'], {
      SOURCE_DATABASE_URL: url,
    });
    await writeFile(join(folder.path, 'plan.md'), change(`${out}\n`));
  }

  test('gives every problem its line', async () => {
    await withPlan((text) =>
      text
        .replace('workers: 4', 'workers: none')
        .replace('| yes | dw.load()', '| perhaps | dw.load()'),
    );
    const result = await folder.run(['check']);
    expect(result.status).toBe(1);
    expect(result.out.split('\n')).toEqual([
      expect.stringMatching(/^plan\.md:\d+:\d+ {2}.*workers/u),
      expect.stringMatching(/^plan\.md:\d+:\d+ {2}.*perhaps/u),
      'plan.md: 2 problems, 0 missing rights.',
    ]);
  });

  test('a plan that includes nothing, and one that is not there', async () => {
    await withPlan((text) => text.replaceAll('| yes |', '| no |'));
    const result = await folder.run(['check', '--json']);
    expect(result.status).toBe(1);
    expect(JSON.parse(result.out)).toMatchObject({
      sprocket: 1,
      ok: false,
      problems: [{ code: 'nothing-included' }],
    });
    expect(await folder.run(['check', '--plan', 'none.md'])).toMatchObject({ status: 2 });
  });

  test('connects where asked to, and names the variable that is missing', async () => {
    await withPlan((text) => text);
    const result = await folder.run(['check', '--connect'], { SOURCE_DATABASE_URL: url });
    expect(result.status).toBe(1);
    expect(result.out).toContain('TARGET_DATABASE_URL (target.url) is not set');
  });

  test('a database that is gone is a problem at its setting', async () => {
    await withPlan((text) => text);
    const gone = urlOf({ ...sandbox.parameters('Sales Data'), database: 'gone' });
    const result = await folder.run(['check', '--connect', '--json'], {
      SOURCE_DATABASE_URL: url,
      TARGET_DATABASE_URL: gone,
    });
    const { problems, reached } = JSON.parse(result.out);
    expect(problems).toMatchObject([{ line: 6, code: 'unknown-database' }]);
    expect(reached).toEqual(['SOURCE_DATABASE_URL']);
    expect(result.status).toBe(1);
  });
});

describe('sprocket plan for a source of MariaDB', () => {
  let mariadb: TestServer;
  beforeAll(async () => {
    mariadb = await startMariadb();
    const connection = await openConnection(mariadb.url());
    await query(connection, 'CREATE DATABASE shop');
    await query(connection, 'CREATE TABLE shop.orders (id int PRIMARY KEY)');
    await query(connection, 'CREATE VIEW shop.latest AS SELECT * FROM shop.orders');
    connection.destroy();
  });
  afterAll(() => mariadb.stop());

  test('has a pipeline for each table, and is fine', async () => {
    const drafted = await folder.run(['plan', '--in', 'shop', '--name', 'shop'], {
      SOURCE_DATABASE_URL: mariadb.url(),
    });
    expect(drafted).toMatchObject({ status: 0, error: '' });
    expect(drafted.out).toContain('Wrote plan.md: 1 pipeline included, with their changes.');
    const { plan, problems } = parsePlan(await planFile());
    expect(problems).toEqual([]);
    expect(plan?.settings.source.dialect).toBe('mysql');
    expect(plan?.pipelines).toMatchObject([{ id: 'shop.orders', mode: 'load + changes' }]);
    expect((await folder.run(['check'])).status).toBe(0);
  });

  test('says what is wrong with the URL, without it', async () => {
    const wrong = mariadb.url().replace('root@', 'nobody:secret@');
    const refused = await folder.run(['plan'], { SOURCE_DATABASE_URL: wrong });
    expect(refused).toMatchObject({ status: 3, out: '' });
    expect(refused.error).toMatch(
      /^sprocket: SOURCE_DATABASE_URL: Access denied for user 'nobody'/u,
    );
    expect(refused.error).not.toContain('secret');
    const none = await folder.run(['plan', '--in', 'nix'], { SOURCE_DATABASE_URL: mariadb.url() });
    expect(none).toMatchObject({ status: 2 });
    expect(none.error).toContain('no table is there to be moved');
  });
});
