/** Servers, databases and roles with settings of their own: what is read and compared must not depend on them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/movement/model.ts';
import { verifyMove } from '../../src/usecases/verify_move.ts';
import { inArena, moveTo, openArena, startServers, stopServers } from './support.ts';
import type { Arena, Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

/** The source of `arena` anew, in another encoding. */
async function encoded(arena: Arena, encoding: string): Promise<void> {
  const name = new URL(arena.settings.source.url).pathname.slice(1);
  const admin = await openArena(servers, ['postgres', 'postgres'], { tables: [] });
  await admin.onSource(
    `DROP DATABASE ${name}`,
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  await admin.close();
  await arena.onSource(`CREATE SCHEMA ${arena.src}`);
}

test.each<[Dialect, string]>([
  ['postgres', 'LATIN1'],
  ['mysql', 'LATIN1'],
  ['postgres', 'EUC_JP'],
])('a database of PostgreSQL in another encoding, to %s: %s', async (to, encoding) => {
  const arena = await openArena(servers, ['postgres', to], { tables: ['t', 'k'] });
  await encoded(arena, encoding);
  const { src } = arena;
  const text = encoding === 'LATIN1' ? 'é\u00a0ÿ' : '日本';
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, v text, w varchar(10), c char(5), j jsonb, a text[])`,
    `CREATE TABLE ${src}.k (v varchar(50) PRIMARY KEY)`,
    `INSERT INTO ${src}.t VALUES (1, '${text}', '${text}', '${text}', '{"a": "${text}"}', ARRAY['${text}'])`,
    `INSERT INTO ${src}.k VALUES ('${text}')`,
  );
  await moveTo(arena, 'drained');
  await arena.onSource(
    `INSERT INTO ${src}.t SELECT 2, v, w, c, j, a FROM ${src}.t`,
    `UPDATE ${src}.k SET v = '${text}${text}'`,
  );
  const result = await moveTo(arena, 'cutover');
  expect(result.verdicts).toMatchObject([
    { equal: true, targetRows: 2 },
    { equal: true, targetRows: 1 },
  ]);
  expect(await arena.onTarget(`SELECT v FROM ${arena.raw}.t`)).toEqual([[text], [text]]);
  await arena.close();
});

test('a collation that takes different texts for equal does not make them so', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  const { src, raw } = arena;
  await arena.onSource(
    `CREATE COLLATION ${src}.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, v text COLLATE ${src}.nocase, w varchar(10) COLLATE ${src}.nocase)`,
    `INSERT INTO ${src}.t VALUES (1, 'A', 'b'), (2, 'É', 'Ü')`,
  );
  await moveTo(arena, 'drained');
  expect(await inArena(arena, verifyMove)).toMatchObject([{ equal: true }]);
  await arena.onTarget(`UPDATE ${raw}.t SET w = 'B' WHERE id = 1`);
  expect(await inArena(arena, verifyMove)).toMatchObject([{ equal: false, different: 1 }]);
  await arena.close();
});

test('rows that row level security hides are an error, never left out', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], {
    tables: ['t'],
    follow: false,
  });
  const { src } = arena;
  const role = `reader_${src}`;
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, v int)`,
    `INSERT INTO ${src}.t VALUES (1, 1), (2, 2)`,
    `ALTER TABLE ${src}.t ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY part ON ${src}.t USING (v = 1)`,
    `CREATE ROLE ${role} LOGIN`,
    `GRANT USAGE ON SCHEMA ${src} TO ${role}`,
    `GRANT SELECT ON ${src}.t TO ${role}`,
  );
  const url = new URL(arena.settings.source.url);
  url.username = role;
  const limited: Arena = {
    ...arena,
    settings: { ...arena.settings, source: { dialect: 'postgres', url: url.href } },
  };
  await expect(moveTo(limited, 'drained')).rejects.toThrow(
    /row-level security policy for table "t"/,
  );
  await arena.onSource(`ALTER ROLE ${role} BYPASSRLS`);
  await moveTo(limited, 'drained');
  expect(await inArena(limited, verifyMove)).toMatchObject([{ equal: true, targetRows: 2 }]);
  await arena.close();
});

test.each<[Dialect]>([['postgres'], ['mysql']])(
  'settings of a role and a database of PostgreSQL change nothing, to %s',
  async (to) => {
    const arena = await openArena(servers, ['postgres', to], { tables: ['t'], chunkBytes: 100 });
    const { src } = arena;
    const settings = [
      `bytea_output = 'escape'`,
      `DateStyle = 'German, DMY'`,
      `IntervalStyle = 'iso_8601'`,
      'extra_float_digits = -10',
      `TimeZone = 'Asia/Kathmandu'`,
      `client_encoding = 'LATIN1'`,
      'standard_conforming_strings = off',
      'array_nulls = off',
      'quote_all_identifiers = on',
      'statement_timeout = 1000',
      'lock_timeout = 1',
      'idle_in_transaction_session_timeout = 1000',
      'idle_session_timeout = 1000',
      'transaction_timeout = 1500',
      `default_transaction_isolation = 'serializable'`,
      'transform_null_equals = on',
      `xmloption = 'document'`,
    ];
    for (const on of ['onSource', 'onTarget'] as const) {
      if (on === 'onTarget' && to === 'mysql') continue;
      const name = new URL(
        arena.settings[on === 'onSource' ? 'source' : 'target'].url,
      ).pathname.slice(1);
      await arena[on](...settings.map((setting) => `ALTER DATABASE ${name} SET ${setting}`));
    }
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, b bytea, d timestamptz, i interval, f double precision, a text[], v text)`,
      `INSERT INTO ${src}.t SELECT n, decode('00ff5c', 'hex'), '2024-03-04 05:06:07.000001+00', '1 year 2 days 3.5 seconds', 0.1 + 0.2,
         ARRAY['NULL', NULL, 'é'], 'it''s \\ "x"' FROM generate_series(1, 20) n`,
    );
    await moveTo(arena, 'drained');
    await arena.onSource(
      `INSERT INTO ${src}.t SELECT n + 20, b, d, i, f, a, v FROM ${src}.t, generate_series(1, 1) n WHERE id = 20`,
      `UPDATE ${src}.t SET v = 'x' WHERE id = 1`,
      `DELETE FROM ${src}.t WHERE id = 2`,
    );
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 3500);
    await moveTo(arena, 'forever', stop.signal);
    expect(arena.logged.filter((line) => /lost|trying again/.test(line))).toEqual([]);
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts).toMatchObject([{ equal: true, targetRows: 20 }]);
    await arena.close();
  },
);

test.each<[Dialect, Dialect]>([
  ['mysql', 'postgres'],
  ['mysql', 'mysql'],
  ['postgres', 'mysql'],
])('settings of a whole MariaDB change nothing: %s → %s', async (from, to) => {
  const arena = await openArena(servers, [from, to], { tables: ['t', 'nokey'], chunkBytes: 2000 });
  const { src } = arena;
  const settings: readonly (readonly [string, string])[] = [
    ['sql_select_limit', '7'],
    ['sql_safe_updates', '1'],
    ['autocommit', '0'],
    ['completion_type', `'CHAIN'`],
    ['wait_timeout', '2'],
    ['idle_transaction_timeout', '1'],
    ['max_statement_time', '1'],
    ['sql_auto_is_null', '1'],
    ['time_zone', `'+05:45'`],
    ['tx_isolation', `'READ-UNCOMMITTED'`],
    ['sql_mode', `'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH'`],
    ['log_bin_compress', '1'],
    ['character_set_server', 'latin1'],
  ];
  const rows = Array.from(
    { length: 40 },
    (_, n) => `(${n}, 'it''s "x"', 'é', '2024-07-01 10:00:00')`,
  );
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY, v text, c char(9), at timestamp NULL)`,
    `CREATE TABLE ${src}.nokey (id int, v text, c char(9), at timestamp NULL)`,
    ...(from === 'postgres' ? [`ALTER TABLE ${src}.nokey REPLICA IDENTITY FULL`] : []),
    `INSERT INTO ${src}.t VALUES ${rows.join(', ')}`,
    `INSERT INTO ${src}.nokey VALUES ${rows.join(', ')}`,
  );
  const onMysql = from === 'mysql' ? arena.onSource : arena.onTarget;
  await onMysql(...settings.map(([name, value]) => `SET GLOBAL ${name} = ${value}`));
  try {
    await moveTo(arena, 'drained');
    expect(await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`)).toEqual([['40']]);
    await arena.onSource(
      `UPDATE ${src}.t SET v = 'x' WHERE id < 20`,
      `DELETE FROM ${src}.nokey WHERE id < 20`,
      `TRUNCATE TABLE ${src}.t`,
      `INSERT INTO ${src}.t SELECT * FROM ${src}.nokey`,
    );
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 4500);
    await moveTo(arena, 'forever', stop.signal);
    expect(arena.logged.filter((line) => /trying again/.test(line))).toEqual([]);
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts).toMatchObject([
      { equal: true, targetRows: 20 },
      { equal: true, targetRows: 20 },
    ]);
  } finally {
    await onMysql(...settings.map(([name]) => `SET GLOBAL ${name} = DEFAULT`));
    await onMysql(
      `SET GLOBAL character_set_server = utf8mb4, log_bin_compress = 0, time_zone = 'SYSTEM'`,
    );
    await arena.close();
  }
});
