/**
 * Kills workers and servers at random while tables are moved under a running write load, and proves both sides equal in the end.
 * `npm run soak -- [--kills 100] [--seed 1] [--pair postgres-mysql] [--rows 20000] [--json FILE]`
 *
 * Everything random comes from the seed. Half of the kills hit the worker; the rest its work folder is lost with it,
 * the source server, or the target server.
 */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { moveTo, openArena, PAIRS, startServers, stopServers } from '../test/movement/support.ts';
import type { Arena } from '../test/movement/support.ts';
import { seeded, startMover, writePlan } from './mover.ts';
import { nextTransaction, tablesSql } from './write-load.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string', default: '20000' },
    pair: { type: 'string' },
    json: { type: 'string' },
  },
});
const kills = Number(values.kills);
const TABLES = ['orders', 'lines', 'events'];
const VICTIMS = ['worker', 'worker', 'worker', 'worker and folder', 'source', 'target'] as const;

interface Outcome {
  readonly pair: string;
  readonly kills: Readonly<Record<string, number>>;
  readonly restarts: number;
  readonly transactions: number;
  readonly rows: number;
  readonly seconds: number;
  readonly equal: boolean;
}

async function killed(
  arena: Arena,
  victim: (typeof VICTIMS)[number],
  kill: () => void,
): Promise<void> {
  if (victim === 'source' || victim === 'target') {
    const server = victim === 'source' ? arena.source : arena.target;
    await server.kill();
    await server.restart();
  }
  kill();
}

async function soak(pair: (typeof PAIRS)[number], seed: number): Promise<Outcome> {
  const servers = await startServers();
  const from = performance.now();
  try {
    const random = seeded(seed);
    const arena = await openArena(servers, pair, { tables: TABLES, chunkBytes: 100_000 });
    const rows = Number(values.rows);
    await arena.onSource(...tablesSql(pair[0], arena.src, rows));
    const plan = await writePlan(arena.settings);
    const counted: Record<string, number> = {};
    let next = rows;
    const write = async (transactions: number) => {
      for (let index = 0; index < transactions; index += 1) {
        // A server that was killed takes the transaction with it, or has it: either is a state to be moved.
        await arena
          .onSource(...nextTransaction(pair[0], arena.src, random, next))
          .catch(() => undefined);
        next += 1;
      }
    };
    for (let kill = 0; kill < kills; kill += 1) {
      const mover = startMover(arena.settings, plan, ['move']);
      const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'worker';
      const writing = write(10);
      await Promise.race([
        new Promise((done) => setTimeout(done, 900 + random() * 1500)),
        mover.ended,
      ]);
      await killed(arena, victim, () => mover.kill('SIGKILL'));
      if ((await mover.ended) !== null)
        throw new Error(`seed ${seed}, kill ${kill}: the worker gave up\n${mover.said()}`);
      if (victim === 'worker and folder')
        await rm(path.join(arena.settings.folder, 'work'), { recursive: true, force: true });
      counted[victim] = (counted[victim] ?? 0) + 1;
      await writing;
    }
    const result = await moveTo(arena, 'cutover');
    const restarts = await arena.onTarget(
      `SELECT sum(restarts) FROM ${arena.settings.target.metadataSchema}.wirekite_progress WHERE operation = 'CE'`,
    );
    await arena.close();
    return {
      pair: pair.join(' → '),
      kills: counted,
      restarts: Number(restarts[0]?.[0]),
      transactions: next - rows,
      rows: result.verdicts.reduce((total, { targetRows }) => total + targetRows, 0),
      seconds: Math.round((performance.now() - from) / 1000),
      equal:
        result.verdicts.length === TABLES.length && result.verdicts.every(({ equal }) => equal),
    };
  } finally {
    await stopServers(servers);
  }
}

const outcomes: Outcome[] = [];
for (const pair of PAIRS.filter(
  (candidate) => values.pair === undefined || candidate.join('-') === values.pair,
)) {
  const outcome = await soak(pair, Number(values.seed));
  outcomes.push(outcome);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify({ seed: Number(values.seed), outcomes })}\n`);
if (outcomes.some(({ equal }) => !equal)) process.exitCode = 1;
