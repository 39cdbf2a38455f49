/** PAUSE, RUN, STOP and reset, and what people see in the metadata tables. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMover, writePlan } from '../../scripts/mover.ts';
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
      const begun = `SELECT count(*) FROM ${meta(arena)}.wirekite_progress`;
      expect(await arena.onTarget(begun)).toEqual([['0']]);
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
      // What is promised, also on a machine that is busy with other things.
      await new Promise((done) => setTimeout(done, 5000));
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
