/** What comes along besides rows, what is refused and why, and how a comparison shows what differs. */
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
  '%s → %s: verify narrows what differs to its rows and columns',
  async (from, to) => {
    const arena = await openArena(servers, [from, to], { tables: ['n', 'k'], follow: false });
    const { src, raw } = arena;
    const values = (make: (index: number) => string) =>
      Array.from({ length: 500 }, (_, index) => make(index)).join(', ');
    await arena.onSource(
      `CREATE TABLE ${src}.n (id bigint PRIMARY KEY, v varchar(20), at timestamp(6) NULL)`,
      `CREATE TABLE ${src}.k (code varchar(20), part int, v numeric(20,10), PRIMARY KEY (code, part))`,
      `INSERT INTO ${src}.n VALUES ${values((index) => `(${index * 1000}, 'v${index}', '2024-01-01 00:00:00.000001')`)}`,
      `INSERT INTO ${src}.k VALUES ${values((index) => `('c${index % 50}', ${index}, ${index}.0000000001)`)}`,
    );
    await moveTo(arena, 'drained');
    expect((await inArena(arena, verifyMove)).every(({ equal }) => equal)).toBe(true);
    await arena.onTarget(
      `UPDATE ${raw}.n SET at = '2024-01-01 00:00:00.000002' WHERE id = 5000`,
      `DELETE FROM ${raw}.n WHERE id = 6000`,
      `INSERT INTO ${raw}.n (id) VALUES (-77), (9999999)`,
      `UPDATE ${raw}.k SET v = v + 0.0000000001 WHERE part = 7`,
    );
    const [n, k] = await inArena(arena, verifyMove);
    expect(n).toMatchObject({
      equal: false,
      sourceRows: 500,
      targetRows: 501,
      missing: 1,
      extra: 2,
      different: 1,
    });
    expect(n?.shown.find(({ kind }) => kind === 'different')).toMatchObject({
      key: { id: '5000' },
      columns: [
        {
          column: 'at',
          source: expect.stringContaining('.000001'),
          target: expect.stringContaining('.000002'),
        },
      ],
    });
    expect(k).toMatchObject({
      equal: false,
      missing: 0,
      extra: 0,
      different: 1,
      shown: [{ key: { code: 'c7', part: '7' } }],
    });
    await arena.close();
  },
);

test.each(PAIRS)('%s → %s: a key with gaps is cut to size as well', async (from, to) => {
  const arena = await openArena(servers, [from, to], {
    tables: ['g'],
    follow: false,
    chunkBytes: 4000,
  });
  const { src } = arena;
  // One row long ago, and then rows one after the other, as of a generator that counts from the time.
  const rows = Array.from(
    { length: 2000 },
    (_, index) => `(${10n ** 15n + BigInt(index)}, 'text ${index}')`,
  );
  await arena.onSource(
    `CREATE TABLE ${src}.g (id bigint PRIMARY KEY, v varchar(20))`,
    `INSERT INTO ${src}.g VALUES (1, 'first'), ${rows.join(', ')}`,
  );
  await moveTo(arena, 'drained');
  const marks = await arena.onTarget(
    `SELECT mark FROM ${arena.settings.target.metadataSchema}.wirekite_progress WHERE operation = 'D'`,
  );
  const held = marks.map(([mark]) => Number(mark));
  expect(held.reduce((sum, each) => sum + each, 0)).toBe(2001);
  expect(Math.max(...held)).toBeLessThan(600);
  expect(held.length).toBeLessThan(100);
  await arena.close();
});

test.each(PAIRS.filter(([from, to]) => from !== to))(
  '%s → %s: verify holds few rows at once, also where a key has gaps',
  async (from, to) => {
    const arena = await openArena(servers, [from, to], { tables: ['g'], follow: false });
    const { src, raw } = arena;
    const [rows, number] =
      from === 'mysql' ? ['seq_1_to_250000', 'seq'] : ['generate_series(1, 250000) g', 'g'];
    await arena.onSource(
      ...(from === 'mysql' ? [`USE ${src}`] : []),
      `CREATE TABLE ${src}.g (id bigint PRIMARY KEY, v int)`,
      `INSERT INTO ${src}.g VALUES (1, 0)`,
      `INSERT INTO ${src}.g SELECT 1000000000000000 + ${number}, ${number} FROM ${rows}`,
    );
    await moveTo(arena, 'drained');
    const last = 1_000_000_000_250_000n;
    await arena.onTarget(
      `UPDATE ${raw}.g SET v = 7 WHERE id = ${last - 100n}`,
      `DELETE FROM ${raw}.g WHERE id = ${last - 200_000n}`,
      `INSERT INTO ${raw}.g VALUES (${last + 5n}, 5)`,
    );
    const held: number[] = [];
    const [verdict] = await inArena(arena, (context) => {
      const { side } = context.source;
      const digests: typeof side.digests = async (table, piece) => {
        const found = await side.digests(table, piece);
        held.push(found.size);
        return found;
      };
      return verifyMove({ ...context, source: { ...context.source, side: { ...side, digests } } });
    });
    expect(verdict).toMatchObject({ missing: 1, extra: 1, different: 1, sourceRows: 250_001 });
    expect(Math.max(...held)).toBeLessThanOrEqual(20_000);
    await arena.close();
  },
);

test('verify tells floating-point values apart that are equal and not the same', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], {
    tables: ['f'],
    follow: false,
  });
  await arena.onSource(
    `CREATE TABLE ${arena.src}.f (id int PRIMARY KEY, d double precision, r real)`,
    `INSERT INTO ${arena.src}.f VALUES (1, 0, 0), (2, 0.1, 0.1), (3, 'NaN', '-Infinity'), (4, NULL, NULL)`,
  );
  await moveTo(arena, 'drained');
  expect(await inArena(arena, verifyMove)).toMatchObject([{ equal: true, targetRows: 4 }]);
  await arena.onTarget(`UPDATE ${arena.raw}.f SET d = '-0' WHERE id = 1`);
  await arena.onTarget(`UPDATE ${arena.raw}.f SET r = '0.10000001' WHERE id = 2`);
  expect(await inArena(arena, verifyMove)).toMatchObject([
    {
      different: 2,
      shown: [
        { key: { id: '1' }, columns: [{ column: 'd', source: '0', target: '-0' }] },
        { key: { id: '2' }, columns: [{ column: 'r', source: '0.1', target: '0.10000001' }] },
      ],
    },
  ]);
  await arena.close();
});

test('what can not be loaded names table, key and column, and leaves nothing behind', async () => {
  const refusals: readonly (readonly [(typeof PAIRS)[number], string, string, RegExp])[] = [
    [
      ['postgres', 'mysql'],
      'timestamp',
      `'infinity'`,
      /t at id = 2: column v holds what the target can't: infinity/,
    ],
    [['postgres', 'mysql'], 'date', `'0044-03-15 BC'`, /column v .* before the year 1/],
    [['postgres', 'mysql'], 'timestamptz', `'10000-01-01 00:00+00'`, /column v .* after 9999/],
    [['postgres', 'mysql'], 'numeric', `'NaN'`, /column v .* NaN/],
    [['postgres', 'mysql'], 'numeric', `1e35`, /column v .* numbers beyond decimal\(65,30\)/],
    [['postgres', 'mysql'], 'numeric', `1e-31`, /column v .* numbers beyond decimal\(65,30\)/],
    [['postgres', 'mysql'], 'real', `'Infinity'`, /column v .* NaN and infinity/],
    [
      ['mysql', 'postgres'],
      'date',
      `'0000-00-00'`,
      /t at id = 2: column v holds what the target can't: zero dates/,
    ],
    [['mysql', 'postgres'], 'datetime', `'2024-00-01'`, /column v .* zero dates/],
    [['mysql', 'postgres'], 'text', `'a\\0b'`, /column v .* text with U\+0000/],
  ];
  for (const [pair, type, value, message] of refusals) {
    const arena = await openArena(servers, pair, { tables: ['t'], follow: false });
    await arena.onSource(
      `CREATE TABLE ${arena.src}.t (id int PRIMARY KEY, v ${type} NULL)`,
      `INSERT INTO ${arena.src}.t VALUES (1, NULL), (2, ${value})`,
    );
    await expect(moveTo(arena, 'drained'), `${type} ${value}`).rejects.toMatchObject({
      code: 'unrepresentable-value',
      message: expect.stringMatching(message),
    });
    expect(await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`)).toEqual([['0']]);
    await arena.close();
  }
});

test('types without a counterpart are refused before anything is made', async () => {
  for (const [pair, type] of [
    [['postgres', 'mysql'], 'point'],
    [['mysql', 'postgres'], 'point'],
    [['postgres', 'mysql'], 'numeric(70,2)'],
  ] as const) {
    const arena = await openArena(servers, pair, { tables: ['t'], follow: false });
    await arena.onSource(`CREATE TABLE ${arena.src}.t (id int PRIMARY KEY, v ${type})`);
    await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
      code: 'unsupported-type',
      message: expect.stringContaining(`${arena.src}.t.v has the type`),
    });
    await arena.close();
  }
});

test('zero dates become NULL, counted, only where that was asked for', async () => {
  const arena = await openArena(servers, ['mysql', 'postgres'], {
    tables: ['t'],
    zeroDates: 'null',
  });
  await arena.onSource(
    `CREATE TABLE ${arena.src}.t (id int PRIMARY KEY, v date NOT NULL)`,
    `INSERT INTO ${arena.src}.t VALUES (1, '0000-00-00'), (2, '2024-01-01'), (3, '0000-00-00')`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (4, '0000-00-00')`);
  const result = await moveTo(arena, 'cutover');
  expect(result.verdicts).toMatchObject([{ equal: true }]);
  expect(await arena.onTarget(`SELECT id, v FROM ${arena.raw}.t ORDER BY id`)).toEqual([
    ['1', null],
    ['2', '2024-01-01'],
    ['3', null],
    ['4', null],
  ]);
  expect(arena.logged.join('\n')).toContain('2 zero dates become NULL');
  await arena.close();
});

test('a zero date in a key can not become NULL: it is named, loaded or followed', async () => {
  for (const loaded of [true, false]) {
    const arena = await openArena(servers, ['mysql', 'postgres'], {
      tables: ['t'],
      zeroDates: 'null',
    });
    const zero = `INSERT INTO ${arena.src}.t VALUES (2, '0000-00-00')`;
    await arena.onSource(
      `CREATE TABLE ${arena.src}.t (id int, v date NOT NULL, PRIMARY KEY (id, v))`,
      `INSERT INTO ${arena.src}.t VALUES (1, '2024-01-01')`,
    );
    if (!loaded) await moveTo(arena, 'drained');
    await arena.onSource(zero);
    await expect(moveTo(arena, 'drained'), loaded ? 'loaded' : 'followed').rejects.toMatchObject({
      code: 'unrepresentable-value',
      message: expect.stringMatching(/t at id = 2.*column v .* zero dates/),
    });
    await arena.close();
  }
});

test('keys, indexes, foreign keys, NOT NULL and sequences come along', async () => {
  for (const pair of PAIRS) {
    const arena = await openArena(servers, pair, { tables: ['child', 'parent'], follow: false });
    const { src, raw } = arena;
    const identity =
      pair[0] === 'postgres' ? 'int GENERATED BY DEFAULT AS IDENTITY' : 'int AUTO_INCREMENT';
    await arena.onSource(
      `CREATE TABLE ${src}.parent (id ${identity} PRIMARY KEY, code varchar(20) NOT NULL UNIQUE)`,
      `CREATE TABLE ${src}.child (id ${identity} PRIMARY KEY, parent_id int NOT NULL, code varchar(20),
         FOREIGN KEY (parent_id) REFERENCES ${src}.parent (id) ON DELETE CASCADE)`,
      `CREATE INDEX by_code ON ${src}.child (code)`,
      `INSERT INTO ${src}.parent VALUES (1, 'a'), (41, 'b')`,
      `INSERT INTO ${src}.child VALUES (7, 41, 'x')`,
    );
    await moveTo(arena, 'drained');
    await arena.onTarget(`INSERT INTO ${raw}.parent (code) VALUES ('next')`);
    expect(await arena.onTarget(`SELECT id FROM ${raw}.parent WHERE code = 'next'`)).toEqual([
      ['42'],
    ]);
    await expect(arena.onTarget(`INSERT INTO ${raw}.parent (code) VALUES ('a')`)).rejects.toThrow(
      /uplicate/,
    );
    await expect(
      arena.onTarget(`INSERT INTO ${raw}.parent (id, code) VALUES (77, NULL)`),
    ).rejects.toThrow(/null/i);
    if (pair[1] === 'postgres') {
      await expect(
        arena.onTarget(`INSERT INTO ${raw}.child (id, parent_id) VALUES (9, 1000)`),
      ).rejects.toThrow(/foreign key/);
      const indexes = await arena.onTarget(
        `SELECT indexdef FROM pg_indexes WHERE schemaname = '${raw}'`,
      );
      expect(indexes.join('\n')).toMatch(/\(code\)/);
    } else {
      await expect(
        arena.onTarget(
          'SET SESSION foreign_key_checks = 1',
          `INSERT INTO ${raw}.child (id, parent_id) VALUES (9, 1000)`,
        ),
      ).rejects.toThrow(/foreign key/);
    }
    await arena.close();
  }
});

test('a target that holds rows of somebody else, a missing table, and a source that can not be followed', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({ code: 'table-missing' });
  await arena.onSource(`CREATE TABLE ${arena.src}.t (id int)`);
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({
    code: 'no-key',
    message: expect.stringContaining('REPLICA IDENTITY FULL'),
  });
  await arena.onSource(`ALTER TABLE ${arena.src}.t ADD PRIMARY KEY (id)`);
  await arena.onTarget(
    `CREATE SCHEMA ${arena.raw}`,
    `CREATE TABLE ${arena.raw}.t (id int)`,
    `INSERT INTO ${arena.raw}.t VALUES (1)`,
  );
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({ code: 'target-not-empty' });
  await arena.close();
});
