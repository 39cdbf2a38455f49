/** Names, keys and widths that are allowed and seldom: rows must come whole, or an error must say why not. */
import { afterAll, beforeAll, expect, test } from 'vitest';
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
