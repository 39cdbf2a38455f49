/** What changes rows and leaves no row events in the log: it is noticed, and named, and never passed over. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/movement/model.ts';
import { moveTo, openArena, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';
import { startMariadb } from '../../scripts/servers.ts';

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
    'altered (column v, w is gone or renamed)',
    '(id int PRIMARY KEY, v int, w int)',
    (src) => [`ALTER TABLE ${src}.t CHANGE v w int, CHANGE w v int`],
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

const FAMILY = (src: string, rules: string) => [
  `CREATE TABLE ${src}.above (id int PRIMARY KEY, v int) ENGINE = InnoDB`,
  `CREATE TABLE ${src}.between (id int PRIMARY KEY, above int, FOREIGN KEY (above) REFERENCES ${src}.above (id) ${rules})`,
  `CREATE TABLE ${src}.below (id int PRIMARY KEY, between_id int, FOREIGN KEY (between_id) REFERENCES ${src}.between (id) ${rules})`,
  `INSERT INTO ${src}.above VALUES (1, 1), (2, 2)`,
  `INSERT INTO ${src}.between VALUES (1, 1), (2, 2)`,
  `INSERT INTO ${src}.below VALUES (1, 1), (2, 2)`,
];

test.each<[string, string, string]>([
  ['ON DELETE CASCADE', 'DELETE FROM src.above WHERE id = 1', 'deleted'],
  ['ON DELETE SET NULL', 'DELETE FROM src.between WHERE id = 1', 'deleted'],
  ['ON UPDATE CASCADE', 'UPDATE src.between SET id = 7 WHERE id = 1', 'given another key'],
])('MariaDB: rows that %s changes are not in its log, which is said', async (rules, sql, done) => {
  const arena = await openArena(servers, ['mysql', 'postgres'], { tables: ['below'] });
  const { src, raw } = arena;
  await arena.onSource(...FAMILY(src, rules));
  await moveTo(arena, 'drained');
  await arena.onSource(
    `UPDATE ${src}.above SET v = 5`,
    `INSERT INTO ${src}.between VALUES (3, NULL)`,
    `DELETE FROM ${src}.below WHERE id = 2`,
  );
  await moveTo(arena, 'drained');
  expect(await arena.onTarget(`SELECT id FROM ${raw}.below`)).toEqual([['1']]);
  // Without checks no row follows another.
  await arena.onSource('SET foreign_key_checks = 0', `DELETE FROM ${src}.between WHERE id = 3`);
  await moveTo(arena, 'drained');
  await arena.onSource('SET foreign_key_checks = 1', sql.replace('src', src));
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
    code: 'sides-differ',
    table: expect.stringMatching(/below|between/),
    message: expect.stringMatching(new RegExp(`were ${done}.*${rules}`)),
  });
  await arena.close();
});

test('MariaDB with lower_case_table_names: changes are found whatever the case in the plan', async () => {
  const mysql = await startMariadb(['--lower-case-table-names=1']);
  try {
    const arena = await openArena({ ...servers, mysql }, ['mysql', 'postgres'], {
      tables: ['Orders'],
    });
    const { src, raw } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.Orders (id int PRIMARY KEY)`,
      `INSERT INTO ${src}.Orders VALUES (1), (2)`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `DELETE FROM ${src}.ORDERS WHERE id = 1`,
      `INSERT INTO ${src}.orders VALUES (3)`,
    );
    await moveTo(arena, 'drained');
    expect(await arena.onTarget(`SELECT id FROM ${raw}."Orders" ORDER BY id`)).toEqual([
      ['2'],
      ['3'],
    ]);
    await arena.onSource(`TRUNCATE TABLE ${src}.oRDERS`);
    expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
      { equal: true, targetRows: 0 },
    ]);
    await arena.close();
  } finally {
    await mysql.stop();
  }
});

test.each<[Dialect]>([['postgres'], ['mysql']])(
  'PostgreSQL → %s: tables that inherit from a followed one are an error, partitions are followed',
  async (to) => {
    const arena = await openArena(servers, ['postgres', to], { tables: ['t'] });
    const { src, raw } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t ${PLAIN}`,
      `CREATE TABLE ${src}.child (LIKE ${src}.t INCLUDING ALL) INHERITS (${src}.t)`,
    );
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'not-configured',
      table: `${src}.t`,
      message: expect.stringContaining(`${src}.child`),
    });
    await arena.onSource(
      `DROP TABLE ${src}.child, ${src}.t`,
      `CREATE TABLE ${src}.t ${PLAIN} PARTITION BY RANGE (id)`,
      `CREATE TABLE ${src}.p0 PARTITION OF ${src}.t FOR VALUES FROM (0) TO (10)`,
      `CREATE TABLE ${src}.p1 PARTITION OF ${src}.t FOR VALUES FROM (10) TO (20)`,
      `INSERT INTO ${src}.t VALUES (1, 1), (11, 1)`,
    );
    await arena.onTarget(`DROP TABLE ${raw}.t`).catch(() => undefined);
    await moveTo(arena, 'drained');
    await arena.onSource(
      `UPDATE ${src}.t SET id = 15 WHERE id = 1`,
      `INSERT INTO ${src}.p1 VALUES (17, 1)`,
    );
    expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
      { equal: true, targetRows: 3 },
    ]);
    await arena.close();
  },
);

test.each<[string, (src: string) => readonly string[]]>([
  [
    'altered (v is now another column)',
    (src) => [
      `ALTER TABLE ${src}.t DROP COLUMN v`,
      `ALTER TABLE ${src}.t ADD COLUMN v int DEFAULT 7`,
      `INSERT INTO ${src}.t VALUES (3)`,
    ],
  ],
  [
    'altered (v is now another column)',
    (src) => [
      `ALTER TABLE ${src}.t RENAME v TO x`,
      `ALTER TABLE ${src}.t ADD COLUMN v int`,
      `UPDATE ${src}.t SET v = 3`,
    ],
  ],
  [
    'dropped or renamed, and another put in its place',
    (src) => [`DROP TABLE ${src}.t`, `CREATE TABLE ${src}.t ${PLAIN}`],
  ],
  [
    'dropped or renamed, and another put in its place',
    (src) => [`ALTER TABLE ${src}.t RENAME TO w`, `ALTER TABLE ${src}.u RENAME TO t`],
  ],
])('PostgreSQL: %s', async (what, statements) => {
  const { said, table } = await afterwards('postgres', PLAIN, statements);
  expect(said).toMatchObject({
    code: 'schema-changed',
    table,
    message: expect.stringContaining(what),
  });
});
