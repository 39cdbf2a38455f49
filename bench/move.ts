/**
 * How fast tables move, against what the databases do themselves. `npm run bench:move -- [--json FILE] [--scale 1] [--rounds 5]`
 *
 * Each ratio is the median of paired rounds in one run, in both orders: the machine's mood is the same for both.
 * `--scale 0.1` moves a tenth of the rows.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { withMove } from '../src/cli/move_wiring.ts';
import type { Dialect } from '../src/core/movement/model.ts';
import { runMove } from '../src/usecases/move.ts';
import { verifyMove } from '../src/usecases/verify_move.ts';
import { setAction } from '../test/movement/arena-tools.ts';
import type { Arena } from '../test/movement/support.ts';
import { inArena, openArena, startServers, stopServers } from '../test/movement/support.ts';

const run = promisify(execFile);
const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
  },
});
const scale = Number(values.scale);
const rounds = Number(values.rounds);
const rowsOf = (full: number) => Math.max(1000, Math.round(full * scale));

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** Median of ours/theirs; the order changes from round to round. */
async function paired(name: string, ours: () => Promise<number>, theirs: () => Promise<number>) {
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
  process.stdout.write(
    `${name}: ${ratio.toFixed(2)}×  (ours ${show('ours')} s, theirs ${show('theirs')} s)\n`,
  );
  return ratio;
}

const servers = await startServers();
const COLUMNS =
  'id bigint PRIMARY KEY, a int NOT NULL, b bigint, c numeric(12,2), d varchar(40), e varchar(40), f timestamp NULL, g double precision';

async function fillPostgres(arena: Arena, rows: number): Promise<void> {
  await arena.onSource(
    `CREATE TABLE ${arena.src}.t (${COLUMNS})`,
    `INSERT INTO ${arena.src}.t SELECT g, g % 1000, g * 7, g / 4.0, 'name ' || g, md5(g::text), '2024-01-01'::timestamp + g * interval '1 second', g / 3.0 FROM generate_series(1, ${rows}) g`,
    `ANALYZE ${arena.src}.t`,
    'CHECKPOINT',
  );
}

async function fillMysql(arena: Arena, rows: number): Promise<void> {
  await arena.onSource(
    `USE ${arena.src}`,
    `CREATE TABLE ${arena.src}.t (${COLUMNS})`,
    `INSERT INTO ${arena.src}.t SELECT seq, seq % 1000, seq * 7, seq / 4, CONCAT('name ', seq), MD5(seq), '2024-01-01' + INTERVAL seq SECOND, seq / 3 FROM seq_1_to_${rows}`,
    `ANALYZE TABLE ${arena.src}.t`,
  );
}

/** Forgets what a former round left. */
async function fresh(arena: Arena): Promise<void> {
  await arena.onTarget(
    ...(arena.target.dialect === 'postgres'
      ? [
          `DROP SCHEMA IF EXISTS ${arena.raw} CASCADE`,
          `DROP SCHEMA IF EXISTS ${arena.settings.target.metadataSchema} CASCADE`,
          'CHECKPOINT',
        ]
      : [
          `DROP DATABASE IF EXISTS ${arena.raw}`,
          `DROP DATABASE IF EXISTS ${arena.settings.target.metadataSchema}`,
        ]),
  );
}

const ourLoad = (arena: Arena) => async () => {
  await fresh(arena);
  return seconds(() =>
    inArena(arena, (context) => runMove(context, { goal: 'drained', patienceMs: 5000 })),
  );
};

function shell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the other tool ended with ${code}`)),
    );
  });
}

async function arenaFor(
  pair: readonly [Dialect, Dialect],
  rows: number,
  follow = false,
): Promise<Arena> {
  const arena = await openArena(servers, pair, { tables: ['t'], follow });
  arenas.push(arena);
  await (pair[0] === 'postgres' ? fillPostgres(arena, rows) : fillMysql(arena, rows));
  return arena;
}

const arenas: Arena[] = [];
const ratios: Record<string, number> = {};
let peak = 0;
const base = process.memoryUsage().rss;
const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss - base)), 50);

try {
  const pg = await arenaFor(['postgres', 'postgres'], rowsOf(5_000_000));
  ratios['pg_pg_vs_psql_copy'] = await paired(
    'PG → PG against psql COPY | COPY',
    ourLoad(pg),
    async () => {
      await fresh(pg);
      await pg.onTarget(
        `CREATE SCHEMA ${pg.raw}`,
        `CREATE TABLE ${pg.raw}.t (${COLUMNS.replace(' PRIMARY KEY', '')})`,
      );
      const time = await seconds(async () => {
        await shell(
          `psql -qX '${pg.settings.source.url}' -c 'COPY ${pg.src}.t TO STDOUT' | psql -qX '${pg.settings.target.url}' -c 'COPY ${pg.raw}.t FROM STDIN'`,
        );
        await pg.onTarget(`ALTER TABLE ${pg.raw}.t ADD PRIMARY KEY (id)`, `ANALYZE ${pg.raw}.t`);
      });
      return time;
    },
  );
  const load = ourLoad(pg);
  ratios['verify_vs_load'] = await paired(
    'verify against load',
    () => seconds(() => inArena(pg, verifyMove)),
    load,
  );
  await pg.onSource(`DROP TABLE ${pg.src}.t`);
  await fresh(pg);

  const maria = await arenaFor(['mysql', 'postgres'], rowsOf(2_000_000));
  if (existsSync('/usr/bin/pgloader')) {
    const script = path.join(await mkdtemp(path.join(tmpdir(), 'sprocket-bench-')), 'load');
    await writeFile(
      script,
      `LOAD DATABASE FROM ${maria.settings.source.url}${maria.src} INTO ${maria.settings.target.url} ALTER SCHEMA '${maria.src}' RENAME TO '${maria.raw}';`,
    );
    ratios['maria_pg_vs_pgloader'] = await paired(
      'MariaDB → PG against pgloader',
      ourLoad(maria),
      async () => {
        await fresh(maria);
        return seconds(() => run('pgloader', [script]));
      },
    );
    await rm(path.dirname(script), { recursive: true });
  } else {
    const time = await ourLoad(maria)();
    process.stdout.write(
      `MariaDB → PG: ${time.toFixed(2)} s; pgloader is not installed, so there is no ratio\n`,
    );
  }
  await maria.onSource(`DROP TABLE ${maria.src}.t`);
  await fresh(maria);

  const toMaria = await arenaFor(['postgres', 'mysql'], rowsOf(2_000_000));
  const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-bench-'));
  const file = path.join(folder, 'rows');
  await shell(
    `psql -qX '${toMaria.settings.source.url}' -c 'COPY ${toMaria.src}.t TO STDOUT' > ${file}`,
  );
  ratios['pg_maria_vs_load_data'] = await paired(
    'PG → MariaDB against LOAD DATA of a ready file',
    ourLoad(toMaria),
    async () => {
      await fresh(toMaria);
      await toMaria.onTarget(
        `CREATE DATABASE ${toMaria.raw}`,
        `CREATE TABLE ${toMaria.raw}.t (${COLUMNS.replace('timestamp', 'datetime(6)')})`,
      );
      return seconds(() =>
        shell(
          `mariadb --local-infile=1 -h127.0.0.1 -P${toMaria.target.port} -uroot -e "LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${toMaria.raw}.t CHARACTER SET utf8mb4"`,
        ),
      );
    },
  );
  await rm(folder, { recursive: true });
  await toMaria.onSource(`DROP TABLE ${toMaria.src}.t`);

  ratios['follow_vs_native'] = await benchFollow();
} finally {
  clearInterval(sampling);
  await Promise.all(arenas.map((arena) => arena.close()));
  await stopServers(servers);
}

/** The same changes, applied by us and by PostgreSQL's own subscription: seconds until the target has them. */
async function benchFollow(): Promise<number> {
  const rows = rowsOf(200_000);
  const burst = (arena: Arena) =>
    arena.onSource(
      `INSERT INTO ${arena.src}.t SELECT g, 1, 2, 3, 'new', md5(g::text), now(), 0.5 FROM generate_series(10000001, ${10_000_000 + rows}) g`,
      `UPDATE ${arena.src}.t SET d = 'changed' WHERE id > 10000000 AND id % 2 = 0`,
      `INSERT INTO ${arena.src}.t (id, a) VALUES (-1, 1)`,
    );
  const arrived = async (ask: () => Promise<readonly (readonly (string | null)[])[]>) => {
    while ((await ask())[0]?.[0] !== '1') await new Promise((done) => setTimeout(done, 20));
  };
  const ours = async () => {
    const arena = await arenaFor(['postgres', 'postgres'], 1000, true);
    const moving = inArena(arena, (context) =>
      runMove(context, { goal: 'forever', patienceMs: 5000 }),
    );
    await arrived(() =>
      arena
        .onTarget(
          `SELECT count(*) FROM ${arena.settings.target.metadataSchema}.wirekite_progress WHERE operation = 'C'`,
        )
        .catch(() => []),
    );
    const time = await seconds(async () => {
      await burst(arena);
      await arrived(() =>
        arena.onTarget(`SELECT count(*) FROM ${arena.raw}.t WHERE id = -1`).catch(() => []),
      );
    });
    await setAction(arena, 'STOP');
    await moving;
    await withMove(
      arena.settings,
      new AbortController().signal,
      { log: () => undefined, progress: () => undefined },
      (context) => context.source.releaseChanges(arena.settings.plan.name),
    );
    return time;
  };
  const native = async () => {
    const arena = await arenaFor(['postgres', 'postgres'], 1000);
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
    const time = await seconds(async () => {
      await burst(arena);
      await arrived(() => arena.onTarget(`SELECT count(*) FROM ${arena.src}.t WHERE id = -1`));
    });
    await arena.onTarget(`DROP SUBSCRIPTION ${name}`);
    return time;
  };
  return paired(
    `follow ${rows} inserts and ${rows / 2} updates, against native logical replication`,
    ours,
    native,
  );
}

const result = { ratios, peak_rss_mb: Math.round(peak / 1024 / 1024) };
process.stdout.write(`memory beyond the base: ${result.peak_rss_mb} MB\n`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result)}\n`);
