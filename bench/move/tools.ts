/** What the measurements of moving tables share: servers, rows, and pairs of times. */
import { spawn } from 'node:child_process';
import type { Dialect } from '../../src/core/movement/model.ts';
import { runMove } from '../../src/usecases/move.ts';
import type { Arena, Servers } from '../../test/movement/support.ts';
import { inArena, openArena } from '../../test/movement/support.ts';

export interface Bench {
  readonly servers: Servers;
  readonly rounds: number;
  /** Rows of a measurement at the scale that was asked for. */
  readonly rows: (full: number) => number;
  /** Closed at the end. */
  readonly arenas: Arena[];
}

/** One part: its figures by name. */
export type Part = (bench: Bench) => Promise<Readonly<Record<string, number>>>;

export const COLUMNS =
  'id bigint PRIMARY KEY, a int NOT NULL, b bigint, c numeric(12,2), d varchar(40), e varchar(40), f timestamp NULL, g double precision';

export const say = (line: string) => process.stdout.write(`${line}\n`);

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

export const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** Median of ours/theirs; the order changes from round to round, so that the machine's mood is the same for both. */
export async function paired(
  { rounds }: Bench,
  name: string,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<number> {
  const pairs: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) {
      const mine = await ours();
      pairs.push({ ours: mine, theirs: await theirs() });
    } else {
      const other = await theirs();
      pairs.push({ ours: await ours(), theirs: other });
    }
  }
  const ratio = median(pairs.map((pair) => pair.ours / pair.theirs));
  const show = (key: 'ours' | 'theirs') => median(pairs.map((pair) => pair[key])).toFixed(2);
  say(`${name}: ${ratio.toFixed(2)}×  (ours ${show('ours')} s, theirs ${show('theirs')} s)`);
  return ratio;
}

/** A table \`t\` of \`rows\` rows at the source. */
export async function arenaFor(
  bench: Bench,
  pair: readonly [Dialect, Dialect],
  rows: number,
  follow = false,
): Promise<Arena> {
  const arena = await openArena(bench.servers, pair, { tables: ['t'], follow });
  bench.arenas.push(arena);
  if (pair[0] === 'postgres') {
    await arena.onSource(
      `CREATE TABLE ${arena.src}.t (${COLUMNS})`,
      `INSERT INTO ${arena.src}.t SELECT g, g % 1000, g * 7, g / 4.0, 'name ' || g, md5(g::text), '2024-01-01'::timestamp + g * interval '1 second', g / 3.0 FROM generate_series(1, ${rows}) g`,
      `VACUUM ANALYZE ${arena.src}.t`,
      'CHECKPOINT',
    );
  } else {
    await arena.onSource(
      `USE ${arena.src}`,
      `CREATE TABLE ${arena.src}.t (${COLUMNS})`,
      `INSERT INTO ${arena.src}.t SELECT seq, seq % 1000, seq * 7, seq / 4, CONCAT('name ', seq), MD5(seq), '2024-01-01' + INTERVAL seq SECOND, seq / 3 FROM seq_1_to_${rows}`,
      `ANALYZE TABLE ${arena.src}.t`,
    );
  }
  return arena;
}

/** Forgets what a former round left. */
export async function fresh(arena: Arena): Promise<void> {
  const { raw } = arena;
  const { metadataSchema } = arena.settings.target;
  await arena.onTarget(
    ...(arena.target.dialect === 'postgres'
      ? [
          `DROP SCHEMA IF EXISTS ${raw} CASCADE`,
          `DROP SCHEMA IF EXISTS ${metadataSchema} CASCADE`,
          'CHECKPOINT',
        ]
      : [`DROP DATABASE IF EXISTS ${raw}`, `DROP DATABASE IF EXISTS ${metadataSchema}`]),
  );
}

export async function ourLoad(arena: Arena): Promise<number> {
  await fresh(arena);
  return seconds(() =>
    inArena(arena, (context) => runMove(context, { goal: 'drained', patienceMs: 5000 })),
  );
}

export function shell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the other tool ended with ${code}`)),
    );
  });
}
