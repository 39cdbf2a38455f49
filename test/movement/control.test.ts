/** PAUSE, RUN, STOP and reset, and what people see in the metadata tables. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMover, writePlan } from '../../scripts/mover.ts';
import { openConnection, query as mysqlQuery } from '../../src/adapters/mysql/move_session.ts';
import { openClient, query as pgQuery } from '../../src/adapters/postgres/move_session.ts';
import type { Rows } from '../../src/ports/move.ts';
import { runMove } from '../../src/usecases/move.ts';
import { resetMove } from '../../src/usecases/move_reset.ts';
import { moveStatus } from '../../src/usecases/move_status.ts';
import { filled, meta, setAction, until } from './arena-tools.ts';
import { inArena, moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Arena, Servers } from './support.ts';

/** The statements that the documentation gives people, word for word; what each one says. */
async function monitoring(arena: Arena): Promise<readonly Rows[]> {
  const page = readFileSync(new URL('../../docs/pipelines.md', import.meta.url), 'utf8');
  const sql = /^## Your own monitoring$.*?^```sql\n(.*?)^```/msu.exec(page)?.[1] ?? '';
  const found: Rows[] = [];
  for (const statement of sql.split(/;\s*$/mu)) {
    if (statement.trim() !== '') found.push(await arena.onTarget(statement));
  }
  return found;
}

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

describe.each([PAIRS[0] ?? PAIRS[1], PAIRS[3] ?? PAIRS[1]].filter((pair) => pair !== undefined))(
  '%s → %s',
  (from, to) => {
    test('PAUSE holds a file in its middle, RUN lets it go on, STOP ends with status 0 and clean marks', async () => {
      const arena = await openArena(servers, [from, to], { tables: ['t'] });
      await filled(arena, 12_000);
      const plan = await writePlan(arena.settings);
      await inArena(arena, async () => undefined);
      await setAction(arena, 'PAUSE');
      const mover = startMover(arena.settings, plan, ['move']);
      await new Promise((done) => setTimeout(done, 1500));
      const none = await arena.onTarget(
        `SELECT count(*) FROM ${meta(arena)}.wirekite_progress WHERE mark IS NOT NULL AND operation = 'D'`,
      );
      expect(none).toEqual([['0']]);
      await setAction(arena, 'RUN');
      await until(async () => {
        const rows = await arena.onTarget(
          `SELECT sum(CAST(mark AS DECIMAL)) FROM ${meta(arena)}.wirekite_progress WHERE operation = 'D'`,
        );
        return rows[0]?.[0] === '12000';
      });
      await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (-1, 'followed')`);
      await until(
        async () =>
          (await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t WHERE id = -1`))[0]?.[0] ===
          '1',
      );
      await setAction(arena, 'PAUSE');
      await new Promise((done) => setTimeout(done, 1200));
      await arena.onSource(`INSERT INTO ${arena.src}.t VALUES (-2, 'held back')`);
      await new Promise((done) => setTimeout(done, 1000));
      expect(await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t WHERE id = -2`)).toEqual([
        ['0'],
      ]);
      await setAction(arena, 'STOP');
      expect(await mover.ended, mover.said()).toBe(0);
      expect(await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t WHERE id = -2`)).toEqual([
        ['0'],
      ]);
      await setAction(arena, 'RUN');
      expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
        { equal: true, targetRows: 12_002 },
      ]);
      await arena.close();
    });

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

    test('STOP in the middle of a load, SIGTERM, and a second worker that is refused', async () => {
      const arena = await openArena(servers, [from, to], { tables: ['t'], chunkBytes: 200_000 });
      await filled(arena, 6000);
      const stop = new AbortController();
      let files = 0;
      const result = await inArena(
        arena,
        (context) => runMove(context, { goal: 'forever', patienceMs: 5000 }),
        stop.signal,
        () => {
          files += 1;
          if (files === 3) stop.abort();
        },
      );
      expect(result.outcome).toBe('stopped');
      const loaded = Number((await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`))[0]?.[0]);
      const marked = await arena.onTarget(
        `SELECT sum(CAST(mark AS DECIMAL)) FROM ${meta(arena)}.wirekite_progress WHERE operation = 'D' AND finish_time IS NOT NULL`,
      );
      expect(loaded).toBe(Number(marked[0]?.[0]));
      expect(loaded).toBeLessThan(6000);

      const plan = await writePlan(arena.settings);
      const mover = startMover(arena.settings, plan, ['move']);
      await until(
        async () =>
          (await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`))[0]?.[0] === '6000',
      );
      await expect(moveTo(arena, 'drained')).rejects.toMatchObject({ code: 'already-running' });
      mover.kill('SIGTERM');
      expect(await mover.ended, mover.said()).toBe(0);
      expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
        { equal: true, targetRows: 6000 },
      ]);
      await arena.close();
    });

    test('reset refuses while it is unsafe, then empties rows and progress together', async () => {
      const arena = await openArena(servers, [from, to], { tables: ['t'] });
      await filled(arena, 100);
      await moveTo(arena, 'drained');
      await expect(inArena(arena, resetMove)).rejects.toMatchObject({ code: 'unsafe-reset' });
      expect(await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`)).toEqual([['100']]);
      await setAction(arena, 'STOP');
      await inArena(arena, resetMove);
      expect(await arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t`)).toEqual([['0']]);
      expect(await arena.onTarget(`SELECT count(*) FROM ${meta(arena)}.wirekite_progress`)).toEqual(
        [['0']],
      );
      if (from === 'postgres') {
        expect(
          await arena.onSource(
            'SELECT count(*) FROM pg_replication_slots WHERE database = current_database()',
          ),
        ).toEqual([['0']]);
      }
      await setAction(arena, 'RUN');
      expect((await moveTo(arena, 'cutover')).verdicts).toMatchObject([
        { equal: true, targetRows: 100 },
      ]);
      await arena.close();
    });

    test("people's own SQL on the metadata tables says state, what is incomplete, and restarts", async () => {
      const arena = await openArena(servers, [from, to], {
        tables: ['t', 'none'],
        name: 'sales-warehouse',
        metadataSchema: 'wirekite',
      });
      await filled(arena, 50);
      await arena.onSource(`CREATE TABLE ${arena.src}.none (id int PRIMARY KEY)`);
      await moveTo(arena, 'drained');
      await moveTo(arena, 'drained');
      const [state, incomplete, restarts, loaded] = await monitoring(arena);
      expect(state).toEqual([
        ['C', '2', '1', '1'],
        ['CE', '1', '0', '1'],
        ['D', '2', '2', '0'],
      ]);
      expect(incomplete?.map(([operation, source]) => [operation, source])).toEqual([
        ['C', '2.ckt'],
        ['CE', expect.any(String)],
      ]);
      expect(restarts?.map((row) => [row[0], row[3]])).toEqual([
        ['C', '1'],
        ['CE', '1'],
      ]);
      expect(loaded).toEqual([
        [`${arena.raw}.none`, '0'],
        [`${arena.raw}.t`, '50'],
      ]);
      const status = await inArena(arena, moveStatus);
      expect(status.tables).toMatchObject([
        { state: 'Following', rows: 50 },
        { state: 'Following', rows: 0 },
      ]);
      expect(status.stream?.status).not.toBe('lost');
      await arena.close();
    });

    test('two plans share a target and its metadata tables', async () => {
      const first = await openArena(servers, [from, to], { tables: ['t'], name: 'one' });
      await filled(first, 30);
      await first.onSource(
        `CREATE TABLE ${first.src}.u (id int PRIMARY KEY)`,
        `INSERT INTO ${first.src}.u VALUES (1)`,
      );
      const second: Arena = {
        ...first,
        settings: {
          ...first.settings,
          plan: {
            ...first.settings.plan,
            name: 'two',
            pipelines: [
              {
                source: { schema: first.src, name: 'u' },
                target: { schema: first.raw, name: 'u' },
                key: [],
                follow: true,
              },
            ],
          },
        },
      };
      await Promise.all([moveTo(first, 'drained'), moveTo(second, 'drained')]);
      await first.onSource(
        `INSERT INTO ${first.src}.t VALUES (99, 'x')`,
        `INSERT INTO ${first.src}.u VALUES (2)`,
      );
      const results = await Promise.all([moveTo(first, 'cutover'), moveTo(second, 'cutover')]);
      expect(
        results.map(({ verdicts }) => verdicts.map(({ equal, targetRows }) => [equal, targetRows])),
      ).toEqual([[[true, 31]], [[true, 2]]]);
      await first.close();
    });
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

test('a plan may be run again and again where nothing changes', async () => {
  const arena = await openArena(servers, ['postgres', 'postgres'], { tables: ['t'] });
  await arena.onSource(`CREATE TABLE ${arena.src}.t (id int PRIMARY KEY)`);
  for (let run = 0; run < 8; run += 1) {
    expect((await moveTo(arena, 'drained')).outcome).toBe('drained');
  }
  await arena.close();
});

test('a file that never comes in is given up after five workers; one that others overtook is not', async () => {
  const arena = await openArena(servers, ['postgres', 'mysql'], {
    tables: ['t'],
    follow: false,
    chunkBytes: 20_000,
  });
  await filled(arena, 200);
  const stop = new AbortController();
  const first = await inArena(
    arena,
    (context) => runMove(context, { goal: 'drained', patienceMs: 1000 }),
    stop.signal,
    () => stop.abort(),
  );
  expect(first.outcome).toBe('stopped');
  await arena.onTarget(
    `UPDATE ${meta(arena)}.wirekite_progress SET restarts = 6 WHERE finish_time IS NULL`,
  );
  await expect(moveTo(arena, 'drained')).rejects.toMatchObject({ code: 'too-many-restarts' });
  // As a worker does that brought another file in.
  await inArena(arena, ({ store, target }) => store.forgetStalls(target.statements));
  expect((await moveTo(arena, 'drained')).outcome).toBe('drained');
  await arena.close();
});
