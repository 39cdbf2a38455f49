import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import type { Sandbox } from '../../../src/ports/sandbox.ts';
import { makeFolder, urlOf } from './run.ts';
import type { Folder } from './run.ts';

const SCHEMA = `
  CREATE SCHEMA dw; CREATE TABLE dw.t (id integer, v text); CREATE TABLE dw.a (id integer, v text);
  CREATE FUNCTION dw.helper() RETURNS integer LANGUAGE sql AS 'SELECT 1';`;
const PROCEDURES = `
  SET search_path = dw;
  CREATE PROCEDURE load() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE t;
    INSERT INTO t SELECT id, v FROM a;
  END $$;
  CREATE PROCEDURE export() LANGUAGE plpgsql AS $$
  BEGIN

    COPY dw.t TO '/tmp/x';
  END $$;`;

let sandbox: Sandbox;
let folder: Folder;
let database: string;
let server: string;

beforeAll(async () => {
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('assessed');
  const parameters = sandbox.parameters('assessed');
  database = urlOf(parameters);
  server = urlOf({ ...parameters, database: 'postgres' });
  const session = await sandbox.connect('assessed');
  await session.query(SCHEMA);
  await session.query(PROCEDURES);
  await session.query(`ALTER DATABASE "${parameters.database}" SET search_path = dw`);
  await session.close();
  folder = await makeFolder();
  await writeFile(join(folder.path, 'schema.sql'), SCHEMA);
  await writeFile(join(folder.path, 'procedures.sql'), PROCEDURES);
});

afterAll(async () => {
  await folder.remove();
  await sandbox.close();
});

const EXPECTED = {
  sprocket: 1,
  counts: { procedures: 2, automatic: 1, refused: 1, models: 1 },
  ratings: { Likely: 1, Possible: 0, Unlikely: 0, Manual: 1 },
  procedures: [
    { name: 'dw.load()', outcome: 'models', models: ['dw.t'], rating: 'Likely', reasons: [] },
    {
      name: 'dw.export()',
      outcome: 'refused',
      rating: 'Manual',
      reasons: [{ code: 'copy', line: 4, construct: expect.stringContaining('COPY') }],
    },
  ],
};

test('a database', async () => {
  const environment = { SOURCE_DATABASE_URL: database };
  const result = await folder.run(['assess', '--json'], environment);
  expect(result).toMatchObject({ status: 0, error: '' });
  expect(JSON.parse(result.out)).toMatchObject({ ...EXPECTED, helpers: ['dw.helper()'] });

  const text = await folder.run(['assess'], environment);
  expect(text.out).toContain('✓ dw.load()    1 model: dw.t');
  expect(text.out).toContain('✗ dw.export()  by hand');
  expect(text.out).toContain('Rated: 1 Likely, 1 Manual.');
});

test('files, as their search_path reads them', async () => {
  const args = ['assess', '--schema', 'schema.sql', '--procedures', 'procedures.sql', '--json'];
  const result = await folder.run(args, { SANDBOX_DATABASE_URL: server });
  expect(result).toMatchObject({ status: 0, error: '' });
  expect(JSON.parse(result.out)).toMatchObject(EXPECTED);
});

test('files with a procedure that the server refuses', async () => {
  await writeFile(
    join(folder.path, 'broken.sql'),
    'SELECT 1;\nCREATE PROCEDURE x() LANGUAGE sql AS $$ SELEC $$ WRONG;',
  );
  const args = ['assess', '--procedures', 'procedures.sql', 'broken.sql', '--schema', 'schema.sql'];
  const result = await folder.run(args, { SANDBOX_DATABASE_URL: server });
  expect(result.status).toBe(1);
  expect(result.out).toContain('broken.sql:2: the server refuses it: syntax error');
});

test.each([
  [['assess', '--schema', 'schema.sql'], 2, 'Add --procedures'],
  [['assess', '--procedures', 'nothing.sql'], 2, 'There is no file nothing.sql'],
  [['assess'], 2, 'SOURCE_DATABASE_URL is not set'],
  [['assess', '--procedures', 'schema.sql', '--sandbox', 'BAD'], 3, 'URL'],
] as const)('%o ends with %i', async (args, status, text) => {
  const result = await folder.run(args, { BAD: 'mysql://me:hunter2@x/y' });
  expect(result.status).toBe(status);
  expect(result.error).toContain(text);
  expect(result.error).not.toContain('hunter2');
});

test('a procedure of a megabyte, and bodies that nothing can read', async () => {
  const arms = Array.from(
    { length: 22_000 },
    (_, at) => `WHEN id = ${at} THEN 'the value of ${at}'`,
  );
  const body = `BEGIN TRUNCATE dw.t; INSERT INTO dw.t SELECT id, CASE ${arms.join(' ')} END FROM dw.a; END`;
  expect(body.length).toBeGreaterThan(900_000);
  const unread = `SET check_function_bodies = off;
    CREATE PROCEDURE dw.unread() LANGUAGE plpgsql AS 'BEGIN this is nothing; END';
    CREATE PROCEDURE dw.cut_off() LANGUAGE plpgsql AS 'BEGIN IF true THEN';`;
  const large = `CREATE PROCEDURE dw.large() LANGUAGE plpgsql AS $$ ${body} $$;`;
  await writeFile(join(folder.path, 'large.sql'), `${large} ${unread}`);
  const files = ['--schema', 'schema.sql', '--procedures', 'large.sql'];
  const result = await folder.run(['assess', ...files, '--json'], { SANDBOX_DATABASE_URL: server });
  expect(result).toMatchObject({ status: 0, error: '' });
  expect(JSON.parse(result.out)).toMatchObject({
    procedures: [
      { name: 'dw.large()', outcome: 'models', models: ['dw.t'] },
      { name: 'dw.cut_off()', outcome: 'refused', reasons: [{ code: 'parse-error' }] },
      { name: 'dw.unread()', outcome: 'refused', reasons: [{ code: 'parse-error' }] },
    ],
  });
});
