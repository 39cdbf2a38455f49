/** What a source can do to its tables while they are moved, on all four pairs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meta, until } from './arena-tools.ts';
import { moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Arena, Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

/** Runs `use` while a worker follows what was followed before; ends with it, or with what ends the worker. */
async function following(arena: Arena, use: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const moving = moveTo(arena, 'forever', stop.signal);
  const gotOn = async () => {
    const rows = await arena.onTarget(
      `SELECT 1 FROM ${meta(arena)}.sprocket_move_stream, ${meta(arena)}.wirekite_progress
        WHERE stalls = 0 AND restarts > 0 AND operation = 'CE'`,
    );
    return rows.length > 0;
  };
  const used = until(gotOn)
    .then(use)
    .then(() => stop.abort());
  await Promise.race([moving, used]);
  await moving;
}

const countOf = async (arena: Arena, table: string) =>
  Number((await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.${table}`))[0]?.[0]);

describe.each(PAIRS)('%s → %s', (from, to) => {
  const isPostgres = from === 'postgres';
  const full = (table: string) =>
    isPostgres ? [`ALTER TABLE ${table} REPLICA IDENTITY FULL`] : [];

  test('inserts, updates with changed keys, deletes, TRUNCATE and tables without a key', async () => {
    const arena = await openArena(servers, [from, to], {
      tables: ['a', 'b', 'nokey'],
      chunkBytes: 2000,
    });
    const { src } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.a (id bigint PRIMARY KEY, v varchar(40), n numeric(12,3))`,
      `CREATE TABLE ${src}.b (k1 int, k2 varchar(20), v text, PRIMARY KEY (k2, k1))`,
      `CREATE TABLE ${src}.nokey (x int, y varchar(20), z double precision)`,
      ...full(`${src}.nokey`),
      ...[1, 2, 3].map(
        (part) =>
          `INSERT INTO ${src}.a VALUES ${Array.from({ length: 200 }, (_, i) => `(${part * 1000 + i}, 'v${i}', ${i}.125)`).join(', ')}`,
      ),
      `INSERT INTO ${src}.b VALUES ${Array.from({ length: 100 }, (_, i) => `(${i % 7}, 'key ${i}', 'text ${i}')`).join(', ')}`,
      `INSERT INTO ${src}.nokey VALUES (1, 'twice', 0.1), (1, 'twice', 0.1), (2, NULL, NULL), (3, 'three', 1e10)`,
    );
    await moveTo(arena, 'drained');
    expect(await countOf(arena, 'a')).toBe(600);
    expect(await countOf(arena, 'nokey')).toBe(4);
    const files = await arena.onTarget(
      `SELECT count(*) FROM ${arena.settings.target.metadataSchema}.wirekite_progress WHERE operation = 'D'`,
    );
    expect(Number(files[0]?.[0])).toBeGreaterThan(5);

    await arena.onSource(
      'BEGIN',
      `UPDATE ${src}.a SET v = 'changed' WHERE id < 1010`,
      `UPDATE ${src}.a SET id = id + 100000 WHERE id BETWEEN 1010 AND 1019`,
      `DELETE FROM ${src}.a WHERE id BETWEEN 1020 AND 1029`,
      `INSERT INTO ${src}.a VALUES (1020, 'again', 0.001)`,
      `UPDATE ${src}.b SET k2 = 'moved' WHERE k1 = 1 AND k2 = 'key 1'`,
      `INSERT INTO ${src}.b VALUES (60, 'comes', 'and goes')`,
      `UPDATE ${src}.b SET v = 'for a moment' WHERE k1 = 60`,
      `DELETE FROM ${src}.b WHERE k1 = 60`,
      `DELETE FROM ${src}.nokey WHERE x = 2`,
      `UPDATE ${src}.nokey SET y = 'drei' WHERE x = 3`,
      'COMMIT',
      'BEGIN',
      `INSERT INTO ${src}.a VALUES (999999, 'never', 1)`,
      'ROLLBACK',
    );
    await moveTo(arena, 'drained');
    expect(await countOf(arena, 'a')).toBe(591);
    expect(await countOf(arena, 'b')).toBe(100);
    expect(await countOf(arena, 'nokey')).toBe(3);

    await arena.onSource(
      `INSERT INTO ${src}.b VALUES (50, 'before', 'gone')`,
      `TRUNCATE TABLE ${src}.b`,
      `INSERT INTO ${src}.b VALUES (51, 'after', 'stays')`,
      `DELETE FROM ${src}.nokey WHERE x = 1${isPostgres ? ` AND ctid = (SELECT min(ctid) FROM ${src}.nokey WHERE x = 1)` : ' LIMIT 1'}`,
    );
    const result = await moveTo(arena, 'cutover');
    expect(result.outcome).toBe('cut-over');
    expect(result.verdicts.map(({ equal, targetRows }) => [equal, targetRows])).toEqual([
      [true, 591],
      [true, 1],
      [true, 2],
    ]);
    expect(arena.logged.join('\n')).toContain('nokey has no key: it is loaded whole, in one file');
    await arena.close();
  });

  test('a transaction that is larger than what is read at once arrives whole', async () => {
    const arena = await openArena(servers, [from, to], { tables: ['big'] });
    const { src } = arena;
    const digits =
      '(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)';
    await arena.onSource(`CREATE TABLE ${src}.big (id int PRIMARY KEY, v varchar(300))`);
    await moveTo(arena, 'drained');
    await arena.onSource(
      'BEGIN',
      `INSERT INTO ${src}.big SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d, repeat('x', 250)
         FROM ${digits} a, ${digits} b, ${digits} c, ${digits} e, (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) f`,
      `UPDATE ${src}.big SET v = 'short' WHERE id < 20000`,
      `DELETE FROM ${src}.big WHERE id < 5`,
      'COMMIT',
    );
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 39_995 }]);
    await arena.close();
  });

  test('added columns are taken along; other DDL stops with the table and the change', async () => {
    const arena = await openArena(servers, [from, to], { tables: ['t'] });
    const { src, raw } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, v varchar(20))`,
      `INSERT INTO ${src}.t VALUES (1, 'a'), (2, 'b')`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `UPDATE ${src}.t SET v = 'before' WHERE id = 1`,
      `ALTER TABLE ${src}.t ADD COLUMN n int DEFAULT 7`,
      `ALTER TABLE ${src}.t ADD COLUMN s varchar(10)`,
      `INSERT INTO ${src}.t VALUES (3, 'c', 8, 'x')`,
      `UPDATE ${src}.t SET s = 'y' WHERE id = 2`,
    );
    await moveTo(arena, 'drained');
    const rows = await arena.onTarget(`SELECT id, v, n, s FROM ${raw}.t ORDER BY id`);
    expect(rows).toEqual([
      ['1', 'before', '7', null],
      ['2', 'b', '7', 'y'],
      ['3', 'c', '8', 'x'],
    ]);
    await arena.onSource(
      `ALTER TABLE ${src}.t DROP COLUMN s`,
      `UPDATE ${src}.t SET v = 'later' WHERE id = 1`,
    );
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'schema-changed',
      table: `${src}.t`,
      message: expect.stringContaining('column s is gone or renamed'),
    });
    expect(await arena.onTarget(`SELECT v FROM ${raw}.t WHERE id = 1`)).toEqual([['before']]);
    await arena.close();
  });

  test('a value that the target can not hold, met in a change, is an error with its key', async () => {
    if (from === to) return;
    const arena = await openArena(servers, [from, to], { tables: ['t'] });
    const { src } = arena;
    await arena.onSource(
      isPostgres
        ? `CREATE TABLE ${src}.t (id int PRIMARY KEY, v double precision)`
        : `CREATE TABLE ${src}.t (id int PRIMARY KEY, v tinyint(1))`,
      `INSERT INTO ${src}.t VALUES (1, 1)`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `INSERT INTO ${src}.t VALUES (2, 0)`,
      `INSERT INTO ${src}.t VALUES (42, ${isPostgres ? "'NaN'" : '2'})`,
    );
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'unrepresentable-value',
      message: expect.stringMatching(
        /t at id = 42: column v holds what the target can't: (?:NaN|anything but 0 and 1)/,
      ),
    });
    await arena.close();
  });
});

test('an unchanged TOASTed value is kept, also where the key changes', async () => {
  for (const to of ['postgres', 'mysql'] as const) {
    const arena = await openArena(servers, ['postgres', to], { tables: ['t'] });
    const { src, raw } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, n int, big text, small text)`,
      `ALTER TABLE ${src}.t ALTER big SET STORAGE EXTERNAL`,
      `INSERT INTO ${src}.t SELECT g, 0, repeat(md5(g::text), 200), 's' FROM generate_series(1, 20) g`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      'BEGIN',
      `UPDATE ${src}.t SET n = 1 WHERE id <= 5`,
      `UPDATE ${src}.t SET id = id + 100 WHERE id IN (1, 2, 6)`,
      `UPDATE ${src}.t SET n = 2, small = NULL WHERE id = 101`,
      `UPDATE ${src}.t SET big = NULL WHERE id = 7`,
      `INSERT INTO ${src}.t VALUES (30, 0, repeat('y', 9000), 's')`,
      `UPDATE ${src}.t SET n = 3 WHERE id = 30`,
      `UPDATE ${src}.t SET id = 31 WHERE id = 30`,
      'COMMIT',
    );
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 21 }]);
    const rows = await arena.onTarget(
      `SELECT id, n, length(big), small FROM ${raw}.t WHERE id IN (101, 7, 31) ORDER BY id`,
    );
    expect(rows).toEqual([
      ['7', '0', null, 's'],
      ['31', '3', '9000', 's'],
      ['101', '2', '6400', null],
    ]);
    await arena.close();
  }
});

test('what is acknowledged to PostgreSQL is what was applied, to the byte, and an idle slot moves on', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  const { src } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY)`,
    `CREATE TABLE ${src}.other (id int)`,
  );
  await moveTo(arena, 'drained');
  const slot = `SELECT confirmed_flush_lsn, pg_wal_lsn_diff(confirmed_flush_lsn, '0/0') FROM pg_replication_slots WHERE database = current_database()`;
  await arena.onSource(`INSERT INTO ${src}.t VALUES (1)`);
  await moveTo(arena, 'drained');
  const applied =
    (await arena.onTarget(`SELECT applied FROM ${meta(arena)}.sprocket_move_stream`))[0]?.[0] ?? '';
  const [confirmed] = (await arena.onSource(slot))[0] ?? [];
  const behind = await arena.onSource(`SELECT pg_wal_lsn_diff('${confirmed}', '${applied}') <= 0`);
  // Stopped before its next status went out, the slot may lag; it must never lead.
  expect(behind).toEqual([['t']]);

  await following(arena, async () => {
    await arena.onSource(`INSERT INTO ${src}.other SELECT generate_series(1, 1000)`);
    const end = (await arena.onSource('SELECT pg_current_wal_lsn()'))[0]?.[0] ?? '';
    await until(async () => {
      const moved = await arena.onSource(
        `SELECT confirmed_flush_lsn >= '${end}' FROM pg_replication_slots WHERE database = current_database()`,
      );
      return moved[0]?.[0] === 't';
    });
  });
  await arena.close();
});

test.each([PAIRS[0], PAIRS[1]].filter((pair) => pair !== undefined))(
  '%s → %s: a table that is renamed or dropped while it is followed is named',
  async (from, to) => {
    for (const [ddl, said] of [
      ['RENAME', 'renamed'],
      ['DROP', 'dropped'],
    ] as const) {
      const arena = await openArena(servers, [from, to], { tables: ['t'] });
      const { src } = arena;
      await arena.onSource(`CREATE TABLE ${src}.t (id int PRIMARY KEY)`);
      await moveTo(arena, 'drained');
      const moving = following(arena, async () => {
        await arena.onSource(
          ...(ddl === 'DROP'
            ? [`DROP TABLE ${src}.t`]
            : [
                `ALTER TABLE ${src}.t RENAME TO ${from === 'mysql' ? `${src}.` : ''}t2`,
                `INSERT INTO ${src}.t2 VALUES (1)`,
              ]),
        );
        await arena.onTarget(`UPDATE ${meta(arena)}.sprocket_move_stream SET cutover = 'asked'`);
        await new Promise(() => undefined);
      });
      await expect(moving).rejects.toMatchObject({
        code: 'schema-changed',
        table: `${src}.t`,
        message: expect.stringContaining(said),
      });
      await arena.close();
    }
  },
);

test('what the source rolled back is not applied, also where its log holds it', async () => {
  const arena = await openArena(servers, ['mysql', 'postgres'], { tables: ['t'] });
  const { src, raw } = arena;
  const many = `INSERT INTO ${src}.t SELECT seq + 1000, repeat('x', 250) FROM seq_1_to_20000`;
  const temporary = (name: string) =>
    `CREATE TEMPORARY TABLE ${src}.${name} (a int) ENGINE = InnoDB`;
  await arena.onSource(`CREATE TABLE ${src}.t (id int PRIMARY KEY, v varchar(250))`);
  await moveTo(arena, 'drained');
  await arena.onSource(
    // A temporary table keeps the server from leaving the whole transaction out.
    `USE ${src}`,
    'BEGIN',
    `INSERT INTO ${src}.t VALUES (1, 'never')`,
    temporary('one'),
    'ROLLBACK',
    'BEGIN',
    many,
    temporary('two'),
    'ROLLBACK',
    'BEGIN',
    `INSERT INTO ${src}.t VALUES (2, 'kept')`,
    'SAVEPOINT `a point`',
    `INSERT INTO ${src}.t VALUES (3, 'never')`,
    temporary('three'),
    'ROLLBACK TO SAVEPOINT `A point`',
    many,
    'ROLLBACK TO SAVEPOINT `a point`',
    `UPDATE ${src}.t SET v = 'kept too' WHERE id = 2`,
    'COMMIT',
  );
  const result = await moveTo(arena, 'cutover');
  expect(result.verdicts).toMatchObject([{ equal: true }]);
  expect(await arena.onTarget(`SELECT id, v FROM ${raw}.t`)).toEqual([['2', 'kept too']]);
  await arena.close();
});
