/** Values near the largest that a server takes: what becomes too large on the way is an error, never NULL. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyMove } from '../../src/usecases/verify_move.ts';
import { inArena, moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Arena, Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

const MB = 1024 * 1024;

test.each(PAIRS)(
  '%s → %s: values of 9 MB are loaded, followed and compared',
  async (from, to) => {
    const arena = await openArena(servers, [from, to], { tables: ['l'] });
    const { src, raw } = arena;
    const [bytes, text] = from === 'mysql' ? ['longblob', 'longtext'] : ['bytea', 'text'];
    const blob = (letter: string) =>
      from === 'mysql' ? `REPEAT('${letter}', ${9 * MB})` : `repeat('${letter}', ${9 * MB})::bytea`;
    await arena.onSource(
      `CREATE TABLE ${src}.l (id int PRIMARY KEY, b ${bytes}, t ${text}, v varchar(20), w varchar(2000))`,
      `INSERT INTO ${src}.l VALUES (1, ${blob('a')}, 'x', 'v', 'w'), (2, NULL, NULL, NULL, NULL), (6, '', '', '', '')`,
      `INSERT INTO ${src}.l VALUES (3, NULL, REPEAT('a line\n', ${MB}), NULL, 'w')`,
    );
    const escapes = [92, 78, 9, 13, 10, 92, 92, 116, 34, 39].map((code) =>
      from === 'mysql' ? `CHAR(${code})` : `chr(${code})`,
    );
    await arena.onSource(
      `INSERT INTO ${src}.l (id, t, w) VALUES (7, concat(${escapes.join(', ')}), concat('é', ${escapes.join(', ')}))`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `INSERT INTO ${src}.l VALUES (4, ${blob('b')}, 'z', NULL, NULL), (5, NULL, REPEAT('w', ${9 * MB}), NULL, NULL)`,
      `UPDATE ${src}.l SET b = ${blob('c')} WHERE id = 1`,
    );
    await moveTo(arena, 'drained');
    expect(
      await arena.onTarget(
        `SELECT id, length(b), length(t), length(v), length(w) FROM ${raw}.l ORDER BY id`,
      ),
    ).toEqual([
      ['1', String(9 * MB), '1', '1', '1'],
      ['2', null, null, null, null],
      ['3', null, String(7 * MB), null, '1'],
      ['4', String(9 * MB), '1', null, null],
      ['5', null, String(9 * MB), null, null],
      ['6', '0', '0', '0', '0'],
      ['7', null, '10', null, to === 'mysql' ? '12' : '11'],
    ]);
    expect(await inArena(arena, verifyMove)).toMatchObject([{ equal: true, sourceRows: 7 }]);
    if (from !== to) await differs(arena);
    await arena.close();
  },
  120_000,
);

/** What is shown of a large value has an end, and only columns that differ are shown. */
async function differs(arena: Arena): Promise<void> {
  const { raw } = arena;
  await arena.onTarget(`UPDATE ${raw}.l SET b = NULL WHERE id = 4`);
  await arena.onTarget(`UPDATE ${raw}.l SET t = concat(t, 'x') WHERE id = 5`);
  const [verdict] = await inArena(arena, verifyMove);
  expect(verdict).toMatchObject({ equal: false, different: 2 });
  expect(verdict?.shown.map(({ columns }) => columns)).toEqual([
    [
      {
        column: 'b',
        source: expect.stringMatching(/^(?:\\x)?(?:62){499,500}\.\.\. \(\d+ in all, MD5 /),
        target: null,
      },
    ],
    [
      {
        column: 't',
        source: expect.stringMatching(/^w{1000}\.\.\. \(9437184 in all, MD5 /),
        target: expect.stringMatching(/^w{1000}\.\.\. \(9437185 in all, MD5 /),
      },
    ],
  ]);
}

test('a row that is too large to be compared is said to be, and not taken for equal', async () => {
  const arena = await openArena(servers, ['mysql', 'mysql'], { tables: ['l'], follow: false });
  const { src, raw } = arena;
  // In latin1 a byte, in utf8mb4 two.
  await arena.onSource(
    `CREATE TABLE ${src}.l (id int PRIMARY KEY, t longtext CHARACTER SET latin1)`,
    `INSERT INTO ${src}.l VALUES (1, 'a'), (2, REPEAT(CONVERT('é' USING latin1), ${9 * MB}))`,
  );
  await moveTo(arena, 'drained');
  expect(await arena.onTarget(`SELECT length(t) FROM ${raw}.l WHERE id = 2`)).toEqual([
    [String(9 * MB)],
  ]);
  await expect(inArena(arena, verifyMove)).rejects.toThrow(/l has rows .*max_allowed_packet/);
  await arena.close();
}, 60_000);
