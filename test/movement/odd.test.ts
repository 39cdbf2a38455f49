/** Names, keys and widths that are allowed and seldom: rows must come whole, or an error must say why not. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/movement/model.ts';
import { runMove } from '../../src/usecases/move.ts';
import { verifyMove } from '../../src/usecases/verify_move.ts';
import { inArena, moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

test.each(PAIRS)(
  '%s → %s: names with quotes, dollars, braces, blanks and dots',
  async (from, to) => {
    const names = ['we"ird `t.a\'?b', 'SELECT', 'Ünï', 'a$&b$$'];
    const arena = await openArena(servers, [from, to], { tables: names });
    const quote = from === 'postgres' ? '"' : '`';
    const q = (name: string) => quote + name.replaceAll(quote, quote + quote) + quote;
    const columns = ['a$$b', 'a$b', '$&', '{c}', '{v}', 'Ü.x `"\'?'];
    const insert = (table: string, id: number) =>
      `INSERT INTO ${table} VALUES (${id}, 'k', ${columns.map((_, index) => `'${index}'`).join(', ')})`;
    for (const name of names) {
      const table = `${arena.src}.${q(name)}`;
      await arena.onSource(
        `CREATE TABLE ${table} (${q('or"d`er ?')} int, ${q("k'")} varchar(10), ${columns.map((column) => `${q(column)} text`).join(', ')},
         PRIMARY KEY (${q('or"d`er ?')}, ${q("k'")}))`,
        insert(table, 1),
        insert(table, 2),
      );
    }
    await moveTo(arena, 'drained');
    for (const name of names) {
      const table = `${arena.src}.${q(name)}`;
      await arena.onSource(
        insert(table, 3),
        `UPDATE ${table} SET ${q('a$$b')} = 'new' WHERE ${q('or"d`er ?')} = 1`,
        `DELETE FROM ${table} WHERE ${q('or"d`er ?')} = 2`,
      );
    }
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts).toMatchObject(names.map(() => ({ equal: true, targetRows: 2 })));
    await arena.close();
  },
);

test('postgres → mysql: text and columns of other types in one key or index', async () => {
  const arena = await openArena(servers, ['postgres', 'mysql'], { tables: ['t'] });
  const { src } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int, name text, u uuid, at timestamptz, n numeric, other text, PRIMARY KEY (id, name))`,
    `CREATE INDEX ON ${src}.t (u, other, at, n, name)`,
    `INSERT INTO ${src}.t VALUES (1, 'x', gen_random_uuid(), now(), 1.5, repeat('é', 300))`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(`UPDATE ${src}.t SET name = 'y' WHERE id = 1`);
  const result = await moveTo(arena, 'cutover');
  expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 1 }]);
  await arena.close();
});

test.each(PAIRS)('%s → %s: a table of 700 columns', async (from, to) => {
  const arena = await openArena(servers, [from, to], { tables: ['wide', 'nokey'], follow: false });
  const { src, raw } = arena;
  const columns = Array.from({ length: 700 }, (_, index) => `c${index} int`).join(', ');
  await arena.onSource(
    `CREATE TABLE ${src}.wide (id int PRIMARY KEY, ${columns})`,
    `CREATE TABLE ${src}.nokey (${columns})`,
    `INSERT INTO ${src}.wide (id, c0, c699) VALUES (1, 1, 2), (2, NULL, 3)`,
    `INSERT INTO ${src}.nokey (c0, c699) VALUES (1, 2), (1, 2)`,
  );
  await moveTo(arena, 'drained');
  expect(await inArena(arena, verifyMove)).toMatchObject([{ equal: true }, { equal: true }]);
  await arena.onTarget(`UPDATE ${raw}.wide SET c500 = 7 WHERE id = 2`);
  expect(await inArena(arena, verifyMove)).toMatchObject([
    { different: 1, shown: [{ columns: [{ column: 'c500', source: null, target: '7' }] }] },
    { equal: true },
  ]);
  await arena.close();
});

test.each(PAIRS)('%s → %s: keys from the least to the greatest', async (from, to) => {
  const arena = await openArena(servers, [from, to], { tables: ['t'], chunkBytes: 2000 });
  const { src, raw } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (id bigint PRIMARY KEY, v int)`,
    `INSERT INTO ${src}.t VALUES (-9223372036854775808, 1), (-5, 2), (0, 3), (9223372036854775807, 4)`,
  );
  await moveTo(arena, 'drained');
  expect(await inArena(arena, verifyMove)).toMatchObject([{ equal: true, targetRows: 4 }]);
  await arena.onTarget(`UPDATE ${raw}.t SET v = 9 WHERE id > 5`);
  expect(await inArena(arena, verifyMove)).toMatchObject([
    { different: 1, shown: [{ key: { id: '9223372036854775807' } }] },
  ]);
  await arena.close();
});

test.each(PAIRS)(
  '%s → %s: a table without a key whose rows all change, and of equal rows some',
  async (from, to) => {
    const arena = await openArena(servers, [from, to], { tables: ['t'] });
    const { src } = arena;
    const isPostgres = from === 'postgres';
    const rows = (make: (index: number) => string) =>
      Array.from({ length: 20_000 }, (_, index) => make(index)).join(', ');
    await arena.onSource(
      `CREATE TABLE ${src}.t (a int, v varchar(20), f ${isPostgres ? 'real' : 'float'}, b ${isPostgres ? 'bytea' : 'blob'}, j ${isPostgres ? 'jsonb' : 'json'})`,
      ...(isPostgres ? [`ALTER TABLE ${src}.t REPLICA IDENTITY FULL`] : []),
      `INSERT INTO ${src}.t VALUES ${rows((index) => `(${index}, 'v', 0.1, 'x', '{"a": 1}')`)}`,
      `INSERT INTO ${src}.t VALUES (NULL, 'twice', 16777216, NULL, NULL), (NULL, 'twice', 16777216, NULL, NULL), (NULL, 'Twice', 16777215, NULL, NULL), (NULL, '', 1, '', NULL)`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `UPDATE ${src}.t SET v = 'w' WHERE a >= 0`,
      `DELETE FROM ${src}.t WHERE v = 'Twice' AND f = 16777215`,
      isPostgres
        ? `DELETE FROM ${src}.t WHERE ctid = (SELECT min(ctid) FROM ${src}.t WHERE v = 'twice')`
        : `DELETE FROM ${src}.t WHERE BINARY v = 'twice' LIMIT 1`,
      `DELETE FROM ${src}.t WHERE v = ''`,
    );
    const start = Date.now();
    const result = await moveTo(arena, 'cutover');
    // One by one this took minutes: each row was searched for in the whole table.
    expect(Date.now() - start).toBeLessThan(30_000);
    expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 20_001 }]);
    await arena.close();
  },
  60_000,
);

test('postgres → postgres: rows without a key that are equal and not the same are told apart', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  const { src, raw } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (n numeric, i interval)`,
    `ALTER TABLE ${src}.t REPLICA IDENTITY FULL`,
    `INSERT INTO ${src}.t VALUES (1.0, '1 mon'), (1.00, '30 days')`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(`DELETE FROM ${src}.t WHERE n::text = '1.00'`);
  await moveTo(arena, 'drained');
  expect(await arena.onTarget(`SELECT * FROM ${raw}.t`)).toEqual([['1.0', '1 mon']]);
  await arena.close();
});

test('mysql → postgres: long names of indexes beyond ASCII, built twice', async () => {
  const arena = await openArena(servers, ['mysql', 'postgres'], { tables: ['t'] });
  const { src, raw } = arena;
  const name = 'ü'.repeat(40);
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, a int, b int, c int, KEY ${name}1 (a), KEY ${name}2 (b), UNIQUE KEY ${name}3 (c))`,
    `INSERT INTO ${src}.t VALUES (1, 1, 1, 1)`,
  );
  await moveTo(arena, 'drained');
  await arena.onTarget(
    `UPDATE ${arena.settings.target.metadataSchema}.sprocket_move_table SET phase = 'created'`,
  );
  await moveTo(arena, 'cutover');
  expect(
    await arena.onTarget(`SELECT count(*) FROM pg_indexes WHERE schemaname = '${raw}'`),
  ).toEqual([['4']]);
  await arena.close();
});

test.each(PAIRS)(
  '%s → %s: a column that is added with quotes and backslashes in its default',
  async (from, to) => {
    const arena = await openArena(servers, [from, to], { tables: ['t'] });
    const { src, raw } = arena;
    const text = from === 'mysql' ? `'it''s \\\\ a\\nline ?'` : `E'it''s \\\\ a\\nline ?'`;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY)`,
      `INSERT INTO ${src}.t VALUES (1)`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `ALTER TABLE ${src}.t ADD COLUMN v varchar(40) NOT NULL DEFAULT ${text}`,
      `INSERT INTO ${src}.t (id) VALUES (2)`,
    );
    await moveTo(arena, 'drained');
    expect(await arena.onTarget(`SELECT v FROM ${raw}.t ORDER BY id`)).toEqual([
      ["it's \\ a\nline ?"],
      ["it's \\ a\nline ?"],
    ]);
    expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([{ equal: true }]);
    await arena.close();
  },
);

test.each(PAIRS)(
  '%s → %s: a change that the target refuses is named with its table',
  async (from, to) => {
    const arena = await openArena(servers, [from, to], { tables: ['t'] });
    const { src, raw } = arena;
    await arena.onTarget(
      `CREATE SCHEMA ${raw}`,
      `CREATE TABLE ${raw}.t (id int PRIMARY KEY, u varchar(10), UNIQUE (u))`,
    );
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, u varchar(10))`,
      `INSERT INTO ${src}.t VALUES (1, 'a')`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `INSERT INTO ${src}.t VALUES (2, 'b'), (3, 'b')`,
      `UPDATE ${src}.t SET u = 'b' WHERE id = 1`,
    );
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'unrepresentable-value',
      table: `${src}.t`,
      message: expect.stringMatching(/t: the target refused a change: .*uplicate/),
    });
    await arena.close();
  },
);

test.each<[Dialect]>([['postgres'], ['mysql']])(
  'mysql → %s: a column that became nullable in the middle of a load is named',
  async (to) => {
    const arena = await openArena(servers, ['mysql', to], {
      tables: ['t'],
      follow: false,
      chunkBytes: 100_000,
    });
    const { src } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, v varchar(300) NOT NULL)`,
      `INSERT INTO ${src}.t SELECT seq, REPEAT('x', 200) FROM ${src}.seq_1_to_6000`,
    );
    const stop = new AbortController();
    const { outcome } = await inArena(
      arena,
      (context) => runMove(context, { goal: 'drained', patienceMs: 5000 }),
      stop.signal,
      () => stop.abort(),
    );
    expect(outcome).toBe('stopped');
    await arena.onSource(
      `ALTER TABLE ${src}.t MODIFY v varchar(300) NULL`,
      `INSERT INTO ${src}.t VALUES (6001, NULL)`,
    );
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'unrepresentable-value',
      message: expect.stringContaining(`${src}.t.v is NULL in a row of the source`),
    });
    await arena.close();
  },
);
