/** Texts of every character set: a change gives the same as a load, or an error. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { moveTo, openArena, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

test('MariaDB: texts in character sets of all kinds arrive, and what is not known is an error', async () => {
  const arena = await openArena(servers, ['mysql', 'postgres'], {
    tables: ['t', 'labels', 'rare'],
  });
  const { src } = arena;
  const columns: readonly (readonly [string, string])[] = [
    ['latin1', '“é€ÿ”'],
    ['ucs2', '日本é'],
    ['utf16', '😀é'],
    ['utf32', '😀'],
    ['utf8mb3', 'é日'],
    ['sjis', '日本ソ表ｱ〜−‖¢\\\\'],
    ['cp932', '日本ソ①'],
    ['ujis', '日本〜−ｱ丂'],
    ['eucjpms', '日本～①'],
    ['gbk', '中文'],
    ['gb2312', '中文―・'],
    ['big5', '中功の•'],
    ['euckr', '한국'],
    ['cp1251', 'Привет'],
    ['koi8r', 'Привет'],
    ['koi8u', 'Привіт•'],
    ['cp866', 'Привет²'],
    ['latin2', 'łó'],
    ['cp1250', 'łó'],
    ['latin5', 'ğş'],
    ['latin7', 'ąž'],
    ['greek', 'αβγʼ'],
    ['hebrew', 'שלום‾'],
    ['armscii8', '§'],
    ['cp1256', 'سلام'],
    ['tis620', 'ไทย'],
    ['cp850', 'éü'],
    ['macroman', 'éü€Ω'],
    ['hp8', 'é'],
    ['swe7', 'é'],
  ];
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, ${columns.map(([charset], index) => `c${index} varchar(20) CHARACTER SET ${charset}`).join(', ')})`,
    `INSERT INTO ${src}.t VALUES (1, ${columns.map(([, text]) => `'${text}'`).join(', ')})`,
    `CREATE TABLE ${src}.labels (id int PRIMARY KEY, l enum('a', '“€') CHARACTER SET latin1, k set('р', 'П') CHARACTER SET koi8r, s enum('表') CHARACTER SET sjis)`,
    `INSERT INTO ${src}.labels VALUES (1, '“€', 'р,П', '表')`,
    `CREATE TABLE ${src}.rare (id int PRIMARY KEY, c varchar(20) CHARACTER SET greek)`,
    `INSERT INTO ${src}.rare VALUES (1, 'α')`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(
    `INSERT INTO ${src}.labels SELECT 2, l, k, s FROM ${src}.labels`,
    `INSERT INTO ${src}.t SELECT 2, ${columns.map((_, index) => `c${index}`).join(', ')} FROM ${src}.t`,
  );
  await moveTo(arena, 'drained');
  expect(await arena.onTarget(`SELECT * FROM ${arena.raw}.t ORDER BY id`)).toEqual(
    ['1', '2'].map((id) => [id, ...columns.map(([, text]) => text.replace('\\\\', '\\'))]),
  );
  expect(await arena.onTarget(`SELECT * FROM ${arena.raw}.labels ORDER BY id`)).toEqual(
    ['1', '2'].map((id) => [id, '“€', '{р,П}', '表']),
  );
  await arena.onSource(`INSERT INTO ${src}.rare VALUES (2, _greek x'e1a4')`);
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
    code: 'unrepresentable-value',
    message: expect.stringContaining('rare.c is in the character set greek'),
  });
  await arena.close();
});

test('MariaDB: a label of a set that the decoder reads as another character is an error', async () => {
  const arena = await openArena(servers, ['mysql', 'postgres'], { tables: ['t'] });
  const { src } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, c set('a', '―') CHARACTER SET gb2312)`,
    `INSERT INTO ${src}.t VALUES (1, '―')`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(`INSERT INTO ${src}.t VALUES (2, 'a')`);
  await moveTo(arena, 'drained');
  await arena.onSource(`INSERT INTO ${src}.t VALUES (3, 'a,―')`);
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
    code: 'unrepresentable-value',
    message: expect.stringContaining('t.c is in the character set gb2312'),
  });
  expect(await arena.onTarget(`SELECT * FROM ${arena.raw}.t ORDER BY id`)).toEqual([
    ['1', '{―}'],
    ['2', '{a}'],
  ]);
  await arena.close();
});

test.each(['postgres', 'mysql'] as const)(
  'MariaDB → %s: bytes that stand for no character are an error, and question marks are none',
  async (to) => {
    const arena = await openArena(servers, ['mysql', to], { tables: ['t'], follow: false });
    const { src } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, g varchar(20) CHARACTER SET greek, k text CHARACTER SET gbk, s char(5) CHARACTER SET cp932)`,
      `INSERT INTO ${src}.t VALUES (1, 'α?', '中?文', '①?'), (2, '?', '??', '')`,
      `INSERT INTO ${src}.t VALUES (3, 'α', _gbk x'3fa140', '①')`,
    );
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'unrepresentable-value',
      message: expect.stringContaining('t at id = 3: column k holds'),
    });
    await arena.onSource(`UPDATE ${src}.t SET k = '?', g = _greek x'e1a4' WHERE id = 3`);
    await expect(moveTo(arena, 'drained')).rejects.toThrow('no character in greek');
    await arena.onSource(`DELETE FROM ${src}.t WHERE id = 3`);
    await moveTo(arena, 'drained');
    expect(await arena.onTarget(`SELECT g, k, s FROM ${arena.raw}.t ORDER BY id`)).toMatchObject([
      ['α?', '中?文', expect.stringContaining('①?')],
      ['?', '??', expect.anything()],
    ]);
    await arena.close();
  },
);
