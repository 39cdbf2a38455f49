/** What changes rows and leaves no row events in the log: it is noticed, and named, and never passed over. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/movement/model.ts';
import { moveTo, openArena, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

const PARTED =
  '(id int PRIMARY KEY, v int) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (100))';
const PLAIN = '(id int PRIMARY KEY, v int)';

/** Follows `src.t` from `from`, lets `statements` run at the source, and gives how the next run ends. */
async function afterwards(
  from: Dialect,
  definition: string,
  statements: (src: string) => readonly string[],
): Promise<{ readonly said: unknown; readonly rows: unknown; readonly table: string }> {
  const arena = await openArena(servers, [from, 'postgres'], { tables: ['t'] });
  const { src, raw } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t ${definition}`,
    `CREATE TABLE ${src}.u ${PLAIN}`,
    `INSERT INTO ${src}.t (id, v) VALUES (1, 1), (12, 2)`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(...statements(src));
  const said: unknown = await moveTo(arena, 'drained').catch((error: unknown) => error);
  const rows = await arena.onTarget(`SELECT id, v FROM ${raw}.t ORDER BY id`);
  await arena.close();
  return { said, rows, table: `${src}.t` };
}

test.each<[string, string, (src: string) => readonly string[]]>([
  [
    'replaced (CREATE OR REPLACE TABLE)',
    PLAIN,
    (src) => [`CREATE OR REPLACE TABLE ${src}.t ${PLAIN}`],
  ],
  ['with a partition', PARTED, (src) => [`ALTER TABLE ${src}.t TRUNCATE PARTITION p0`]],
  ['with a partition', PARTED, (src) => [`ALTER TABLE ${src}.t DROP PARTITION p0`]],
  [
    'with a partition',
    PARTED,
    (src) => [`ALTER TABLE ${src}.t EXCHANGE PARTITION p0 WITH TABLE ${src}.u`],
  ],
  [
    'renamed',
    PLAIN,
    (src) => [`ALTER TABLE ${src}.t RENAME TO ${src}.w`, `ALTER TABLE ${src}.u RENAME ${src}.t`],
  ],
  [
    'altered (column v is gone or renamed)',
    PLAIN,
    (src) => [`ALTER TABLE ${src}.t DROP COLUMN v, ADD COLUMN v int DEFAULT 7`],
  ],
  [
    'dropped with its database',
    PLAIN,
    (src) => [`DROP DATABASE ${src}`, `CREATE DATABASE ${src}`, `CREATE TABLE ${src}.t ${PLAIN}`],
  ],
])('MariaDB: %s', async (what, definition, statements) => {
  const { said, table } = await afterwards('mysql', definition, statements);
  expect(said).toMatchObject({
    code: 'schema-changed',
    table,
    message: expect.stringContaining(what),
  });
});

test('MariaDB: TRUNCATE with settings of its own is a TRUNCATE', async () => {
  const { rows } = await afterwards('mysql', PLAIN, (src) => [
    `SET STATEMENT lock_wait_timeout = 10 FOR TRUNCATE TABLE ${src}.t`,
    `INSERT INTO ${src}.t VALUES (3, 3)`,
  ]);
  expect(rows).toEqual([['3', '3']]);
});

test('MariaDB: what a session logs as statements is an error that names the table', async () => {
  const { said, table } = await afterwards('mysql', PLAIN, (src) => [
    `SET SESSION binlog_format = 'STATEMENT'`,
    `INSERT INTO ${src}.u VALUES (1, 1)`,
    `UPDATE ${src}.t SET v = 5 WHERE id = 1`,
  ]);
  expect(said).toMatchObject({
    code: 'not-configured',
    table,
    message: expect.stringContaining('binlog_format is not ROW'),
  });
});

test.each([
  ['MINIMAL', 'UPDATE src.t SET v = 5 WHERE id = 1'],
  ['MINIMAL', 'DELETE FROM src.t WHERE id = 1'],
  ['NOBLOB', `UPDATE src.t SET v = 5 WHERE id = 1`],
])('MariaDB: rows that a session logs in part (%s) are an error', async (image, sql) => {
  const { said, table, rows } = await afterwards(
    'mysql',
    '(id int PRIMARY KEY, v int, b text DEFAULT NULL)',
    (src) => [`SET SESSION binlog_row_image = '${image}'`, sql.replace('src', src)],
  );
  expect(said).toMatchObject({
    code: 'not-configured',
    table,
    message: expect.stringContaining('binlog_row_image is not FULL'),
  });
  expect(rows).toEqual([
    ['1', '1'],
    ['12', '2'],
  ]);
});

test('MariaDB: rows with computed columns are whole', async () => {
  const { rows } = await afterwards(
    'mysql',
    '(id int PRIMARY KEY, v int, w int INVISIBLE DEFAULT 3)',
    (src) => [
      `REPLACE INTO ${src}.t (id, v) VALUES (1, 9)`,
      `UPDATE ${src}.t SET v = 4 WHERE id = 12`,
    ],
  );
  expect(rows).toEqual([
    ['1', '9'],
    ['12', '4'],
  ]);
  const arena = await openArena(servers, ['mysql', 'mysql'], { tables: ['t'] });
  const { src } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (a int AS (id + 1) VIRTUAL, id int PRIMARY KEY, b int AS (id * 2) STORED, v int)`,
    `INSERT INTO ${src}.t (id, v) VALUES (1, 1), (2, 2)`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(
    `UPDATE ${src}.t SET v = 5 WHERE id = 1`,
    `DELETE FROM ${src}.t WHERE id = 2`,
    `INSERT INTO ${src}.t (id, v) VALUES (3, 3)`,
  );
  const result = await moveTo(arena, 'cutover');
  expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 2 }]);
  await arena.close();
});
