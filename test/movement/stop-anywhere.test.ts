/** STOP, asked for at every single thing that a move asks of its source or its target. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMove } from '../../src/usecases/move.ts';
import { inArena, moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

/** The same object; tells of each call of one of its functions before it goes on. */
function watched<T extends object>(object: T, onCall: () => void): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...parameters: readonly unknown[]): unknown => {
        onCall();
        return Reflect.apply(value, target, parameters);
      };
    },
  });
}

test.each(PAIRS.filter(([from, to]) => from === to))(
  '%s → %s: wherever STOP comes, the run ends as stopped, and the next one makes up for it',
  async (from, to) => {
    for (let at = 1, reached = true; reached; at += 1) {
      const arena = await openArena(servers, [from, to], { tables: ['t', 'u'] });
      const { src, raw } = arena;
      await arena.onSource(
        `CREATE TABLE ${src}.t (id int PRIMARY KEY, v int)`,
        `CREATE TABLE ${src}.u (id int PRIMARY KEY, v int)`,
        `CREATE INDEX u_v ON ${src}.u (v)`,
        `INSERT INTO ${src}.t VALUES (1, 1), (2, 2)`,
        `INSERT INTO ${src}.u VALUES (1, 1)`,
      );
      const stop = new AbortController();
      let calls = 0;
      reached = false;
      const onCall = () => {
        calls += 1;
        if (calls !== at) return;
        reached = true;
        // By turns at once, and while the server is at it.
        if (at % 2 === 0) stop.abort();
        else setImmediate(() => stop.abort());
      };
      const { outcome } = await inArena(
        arena,
        (context) => {
          const source = watched(context.source, onCall);
          const target = watched(context.target, onCall);
          return runMove({ ...context, source, target }, { goal: 'cutover', patienceMs: 5000 });
        },
        stop.signal,
      );
      if (!reached) expect(outcome).toBe('cut-over');
      // What was done already need not be called stopped.
      else expect(['stopped', 'cut-over']).toContain(outcome);
      expect((await moveTo(arena, 'cutover')).outcome, `stopped at call ${at}`).toBe('cut-over');
      expect(
        await arena.onTarget(
          `SELECT id, v FROM ${raw}.t UNION ALL SELECT id + 10, v FROM ${raw}.u ORDER BY id`,
        ),
      ).toEqual([
        ['1', '1'],
        ['2', '2'],
        ['11', '1'],
      ]);
      await arena.close();
    }
  },
);
