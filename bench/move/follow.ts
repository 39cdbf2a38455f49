/** Changes followed, against PostgreSQL's own subscription, and at a steady rate of writes. */
import { setTimeout as wait } from 'node:timers/promises';
import { withMove } from '../../src/cli/move_wiring.ts';
import { runMove } from '../../src/usecases/move.ts';
import type { Arena } from '../../test/movement/support.ts';
import { inArena } from '../../test/movement/support.ts';
import type { Bench, Part } from './tools.ts';
import { arenaFor, COLUMNS, paired, say, seconds } from './tools.ts';

const ASK_MS = 20;

async function arrived(ask: () => Promise<readonly (readonly (string | null)[])[]>): Promise<void> {
  while ((await ask().catch(() => []))[0]?.[0] !== '1') await wait(ASK_MS);
}

/** Runs \`use\` while a worker of ours follows an empty table of its own. */
async function followed<T>(bench: Bench, use: (arena: Arena) => Promise<T>): Promise<T> {
  const arena = await arenaFor(bench, ['postgres', 'postgres'], 1000, true);
  const stop = new AbortController();
  const moving = inArena(
    arena,
    (context) => runMove(context, { goal: 'forever', patienceMs: 5000 }),
    stop.signal,
  );
  try {
    await arrived(() =>
      arena.onTarget(
        `SELECT count(*) FROM ${arena.settings.target.metadataSchema}.sprocket_move_table WHERE phase = 'indexed'`,
      ),
    );
    return await use(arena);
  } finally {
    stop.abort();
    await moving;
    await withMove(
      arena.settings,
      new AbortController().signal,
      { log: () => undefined, progress: () => undefined },
      (context) => context.source.releaseChanges(arena.settings.plan.name),
    );
  }
}

/** The same changes, applied by us and by PostgreSQL itself: seconds until the target has them. */
export const followNative: Part = async (bench) => {
  const rows = bench.rows(200_000);
  const burst = (arena: Arena) =>
    arena.onSource(
      `INSERT INTO ${arena.src}.t SELECT g, 1, 2, 3, 'new', md5(g::text), now(), 0.5 FROM generate_series(10000001, ${10_000_000 + rows}) g`,
      `UPDATE ${arena.src}.t SET d = 'changed' WHERE id > 10000000 AND id % 2 = 0`,
      `INSERT INTO ${arena.src}.t (id, a) VALUES (-1, 1)`,
    );
  const timed = (arena: Arena, table: string) =>
    seconds(async () => {
      await burst(arena);
      await arrived(() => arena.onTarget(`SELECT count(*) FROM ${table} WHERE id = -1`));
    });
  const native = async () => {
    const arena = await arenaFor(bench, ['postgres', 'postgres'], 1000);
    const name = `native_${arena.src}`;
    await arena.onTarget(`CREATE SCHEMA ${arena.src}`, `CREATE TABLE ${arena.src}.t (${COLUMNS})`);
    await arena.onSource(
      `CREATE PUBLICATION ${name} FOR TABLE ${arena.src}.t`,
      `SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`,
    );
    await arena.onTarget(
      `CREATE SUBSCRIPTION ${name} CONNECTION '${arena.settings.source.url}' PUBLICATION ${name} WITH (create_slot = false, slot_name = '${name}')`,
    );
    await arrived(() => arena.onTarget(`SELECT count(*) FROM ${arena.src}.t WHERE id = 1`));
    const time = await timed(arena, `${arena.src}.t`);
    await arena.onTarget(`DROP SUBSCRIPTION ${name}`);
    return time;
  };
  const ratio = await paired(
    bench,
    `follow ${rows} inserts and ${rows / 2} updates, against native logical replication`,
    () => followed(bench, (arena) => timed(arena, `${arena.raw}.t`)),
    native,
  );
  return { follow_vs_native: ratio };
};

const SECONDS = 15;
const PER_SECOND = 10;

/** Rows written at a steady rate: how long after the last one the target has them all. */
export const followRates: Part = async (bench) => {
  const figures: Record<string, number> = {};
  for (const full of [5000, 20_000]) {
    const rate = bench.rows(full);
    const lag = await followed(bench, async (arena) => {
      const from = performance.now();
      const steps = SECONDS * PER_SECOND;
      const each = rate / PER_SECOND;
      for (let step = 0; step < steps; step += 1) {
        const first = 10_000_000 + step * each;
        await arena.onSource(
          `INSERT INTO ${arena.src}.t SELECT g, 1, 2, 3, 'new', md5(g::text), now(), 0.5 FROM generate_series(${first}, ${first + each - 1}) g`,
        );
        const due = from + ((step + 1) * 1000) / PER_SECOND;
        await wait(Math.max(0, due - performance.now()));
      }
      const written = (performance.now() - from) / 1000;
      const last = 10_000_000 + steps * each - 1;
      const behind = await seconds(() =>
        arrived(() => arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t WHERE id = ${last}`)),
      );
      say(
        `${Math.round((steps * each) / written)} rows/s written, ${Math.round((steps * each) / (written + behind))} rows/s applied: ${behind.toFixed(2)} s behind at the end`,
      );
      return behind;
    });
    figures[`lag_s_at_${full}`] = Math.round(lag * 100) / 100;
  }
  return figures;
};
