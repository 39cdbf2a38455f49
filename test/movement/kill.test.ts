/** Workers killed at random moments under a running write load, on all four pairs. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded, startMover, writePlan } from '../../scripts/mover.ts';
import { nextTransaction, tablesSql } from '../../scripts/write-load.ts';
import { moveTo, openArena, PAIRS, startServers, stopServers } from './support.ts';
import type { Servers } from './support.ts';

const KILLS = 5;
const ROWS = 4000;

let servers: Servers;
let started: Servers | undefined;
beforeAll(async () => {
  servers = await startServers();
  started = servers;
});
afterAll(() => stopServers(started));

test.each(PAIRS.map(([from, to], index) => [from, to, 100 + index] as const))(
  '%s → %s: killed %i-seeded, both sides are equal in the end',
  async (from, to, seed) => {
    const random = seeded(seed);
    const tables = ['orders', 'lines', 'events'];
    const arena = await openArena(servers, [from, to], { tables, chunkBytes: 20_000 });
    await arena.onSource(...tablesSql(from, arena.src, ROWS));
    const plan = await writePlan(arena.settings);

    let next = ROWS;
    const write = async (transactions: number) => {
      const statements: string[] = [];
      for (let index = 0; index < transactions; index += 1) {
        statements.push(...nextTransaction(from, arena.src, random, next));
        next += 1;
      }
      await arena.onSource(...statements);
    };
    let resumed = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const mover = startMover(arena.settings, plan, ['move']);
      const moment = new Promise((done) => setTimeout(done, 450 + random() * 700));
      const writing = write(40);
      await Promise.race([moment, mover.ended]);
      mover.kill('SIGKILL');
      expect(await mover.ended, mover.said()).toBe(null);
      resumed += mover.said().includes('goes on with the changes') ? 1 : 0;
      await writing;
    }
    await write(20);
    const result = await moveTo(arena, 'cutover');
    expect(result.verdicts.map(({ table, equal }) => [table, equal])).toEqual(
      tables.map((table) => [`${arena.src}.${table}`, true]),
    );
    const rows = await arena.onTarget(
      `SELECT max(restarts), count(*) FROM ${arena.settings.target.metadataSchema}.wirekite_progress WHERE operation = 'CE'`,
    );
    const restarts = Number(rows[0]?.[0]);
    expect(restarts).toBeGreaterThanOrEqual(resumed);
    expect(restarts).toBeLessThanOrEqual(KILLS);
    await arena.close();
  },
);
