/** STOP, also while a server is busy for us or makes us wait; and how early tables may be read. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection, query as mysqlQuery } from '../../src/adapters/mysql/move_session.ts';
import { openClient, query as pgQuery } from '../../src/adapters/postgres/move_session.ts';
import { mapTable } from '../../src/core/movement/types/map.ts';
import { ConnectionLost } from '../../src/ports/move.ts';
import { runMove } from '../../src/usecases/move.ts';
import { filled, meta, setAction, until } from './arena-tools.ts';
import { inArena, moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Arena, Servers } from './support.ts';

/** A session in the middle of something: whoever comes after it waits. */
async function inTheWay(
  { dialect, url }: Arena['settings']['source'],
  ...statements: readonly string[]
): Promise<{ end(): Promise<void> }> {
  if (dialect === 'postgres') {
    const client = await openClient(url);
    for (const sql of statements) await pgQuery(client, sql);
    return { end: () => client.end() };
  }
  const connection = await openConnection(url);
  for (const sql of statements) await mysqlQuery(connection, sql);
  return { end: async () => connection.destroy() };
}

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

describe.each(PAIRS.filter(([from, to]) => from === to))('%s → %s', (from, to) => {
  test('STOP ends an index that is being built, at the server too; the next run builds it anew', async () => {
    const arena = await openArena(servers, [from, to], { tables: ['t'], follow: false });
    const { src, raw } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, v int)`,
      `CREATE INDEX t_v ON ${src}.t (v)`,
      `INSERT INTO ${src}.t VALUES (1, 1), (2, 2)`,
    );
    const loaded = new AbortController();
    await inArena(
      arena,
      (context) => runMove(context, { goal: 'drained', patienceMs: 5000 }),
      loaded.signal,
      () => loaded.abort(),
    );
    const building = () =>
      arena.onTarget(
        to === 'postgres'
          ? `SELECT pid FROM pg_stat_activity WHERE query ~ '^(ALTER TABLE|CREATE INDEX)' AND state = 'active'`
          : `SELECT id FROM information_schema.processlist WHERE info LIKE 'CREATE INDEX%'`,
      );
    const reading = await inTheWay(arena.settings.target, 'BEGIN', `SELECT * FROM ${raw}.t`);
    const moving = moveTo(arena, 'drained');
    await until(async () => (await building()).length > 0);
    await setAction(arena, 'STOP');
    expect((await moving).outcome).toBe('stopped');
    await until(async () => (await building()).length === 0);
    await reading.end();
    await setAction(arena, 'RUN');
    expect((await moveTo(arena, 'drained')).outcome).toBe('drained');
    const indexes = await arena.onTarget(
      to === 'postgres'
        ? `SELECT count(*) FROM pg_indexes WHERE schemaname = '${raw}'`
        : `SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics WHERE table_schema = '${raw}'`,
    );
    expect(indexes).toEqual([['2']]);
    await arena.close();
  });

  test('a table may be read as soon as it is loaded, while others still are', async () => {
    const arena = await openArena(servers, [from, to], {
      tables: ['few', 't'],
      chunkBytes: 200_000,
    });
    await filled(arena, 3000);
    await arena.onSource(
      `CREATE TABLE ${arena.src}.few (id int PRIMARY KEY, v int)`,
      `CREATE INDEX few_v ON ${arena.src}.few (v)`,
      `INSERT INTO ${arena.src}.few VALUES (1, 1)`,
    );
    const ready = async () =>
      (
        await arena.onTarget(
          `SELECT pipeline FROM ${meta(arena)}.sprocket_pipeline WHERE loaded_at IS NOT NULL ORDER BY position`,
        )
      ).flat();
    const stop = new AbortController();
    let files = 0;
    await inArena(
      arena,
      (context) => runMove(context, { goal: 'drained', patienceMs: 5000 }),
      stop.signal,
      () => {
        files += 1;
        if (files === 5) stop.abort();
      },
    );
    expect(await ready()).toEqual([`${arena.src}.few`]);
    await moveTo(arena, 'drained');
    expect(await ready()).toEqual([`${arena.src}.few`, `${arena.src}.t`]);
    await arena.close();
  });

  test('STOP does not wait for what the source takes long to say', async () => {
    const arena = await openArena(servers, [from, to], { tables: ['t'], follow: false });
    const { src } = arena;
    await arena.onSource(
      `CREATE TABLE ${src}.t (id int PRIMARY KEY, v int)`,
      `INSERT INTO ${src}.t VALUES (1, 1)`,
    );
    const writing = await (from === 'postgres'
      ? inTheWay(arena.settings.source, 'BEGIN', `LOCK TABLE ${src}.t`)
      : inTheWay(arena.settings.source, `LOCK TABLES ${src}.t WRITE`));
    const asked = () =>
      arena.onSource(
        from === 'postgres'
          ? `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
          : `SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock'`,
      );
    const moving = moveTo(arena, 'drained');
    await until(async () => (await asked()).length > 0);
    await setAction(arena, 'STOP');
    expect((await moving).outcome).toBe('stopped');
    await until(async () => (await asked()).length === 0);
    await writing.end();
    await arena.close();
  });
});

test.each(['postgres', 'mysql'] as const)(
  '%s: rows that were not taken yet end with the snapshot that they come from',
  async (dialect) => {
    const arena = await openArena(servers, [dialect, 'postgres'], { tables: ['t'], follow: false });
    await filled(arena, 6000);
    await inArena(arena, async ({ source }) => {
      const name = { schema: arena.src, name: 't' };
      const table = await source.describe(name, false);
      if (table === null) throw new Error('there is no table');
      const mapping = mapTable(
        table,
        { source: name, target: name, key: [], follow: false },
        {
          source: dialect,
          target: 'postgres',
          zeroDates: 'error',
          exactCollation: 'C',
          targetHasType: () => true,
        },
      );
      const snapshot = await source.snapshot(false, {
        stopping: new AbortController().signal,
        say: () => undefined,
      });
      const { pieces } = snapshot.reader.read(mapping, [], { lower: null, upper: null }, 'text');
      const reading = (async () => {
        for await (const piece of pieces) {
          // Meanwhile the driver reads ahead as far as it may, and then holds the source.
          await new Promise((done) => setTimeout(done, piece.length > 0 ? 300 : 0));
          await snapshot.close();
        }
      })();
      await expect(reading).rejects.toBeInstanceOf(ConnectionLost);
    });
    await arena.close();
  },
);

test('who holds up the beginning of the changes is named, and STOP does not wait for them', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  const { src } = arena;
  await arena.onSource(
    `CREATE TABLE ${src}.t (id int PRIMARY KEY)`,
    `CREATE TABLE ${src}.other (id int)`,
  );
  const older = await inTheWay(
    arena.settings.source,
    'BEGIN',
    `INSERT INTO ${src}.other VALUES (1)`,
  );
  const moving = moveTo(arena, 'drained');
  await until(async () => arena.logged.some((line) => line.includes('It waits for that of')));
  await setAction(arena, 'STOP');
  expect((await moving).outcome).toBe('stopped');
  expect(
    await arena.onSource(`SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'`),
  ).toEqual([]);
  await older.end();
  await setAction(arena, 'RUN');
  expect((await moveTo(arena, 'drained')).outcome).toBe('drained');
  await arena.close();
});
