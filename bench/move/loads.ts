/** Loads and verification, against what the databases and other tools do. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyMove } from '../../src/usecases/verify_move.ts';
import { inArena } from '../../test/movement/support.ts';
import type { Part } from './tools.ts';
import { arenaFor, COLUMNS, fresh, median, ourLoad, paired, say, seconds, shell } from './tools.ts';

/** PostgreSQL to PostgreSQL: the load against psql's, and verification against the load. */
export const postgresLoad: Part = async (bench) => {
  const arena = await arenaFor(bench, ['postgres', 'postgres'], bench.rows(5_000_000));
  const { source, target } = arena.settings;
  const load = await paired(
    bench,
    'PG → PG against psql COPY | COPY',
    () => ourLoad(arena),
    async () => {
      await fresh(arena);
      await arena.onTarget(
        `CREATE SCHEMA ${arena.raw}`,
        `CREATE TABLE ${arena.raw}.t (${COLUMNS.replace(' PRIMARY KEY', '')})`,
      );
      return seconds(async () => {
        await shell(
          `psql -qX '${source.url}' -c 'COPY ${arena.src}.t TO STDOUT' | psql -qX '${target.url}' -c 'COPY ${arena.raw}.t FROM STDIN'`,
        );
        await arena.onTarget(
          `ALTER TABLE ${arena.raw}.t ADD PRIMARY KEY (id)`,
          `ANALYZE ${arena.raw}.t`,
        );
      });
    },
  );
  await ourLoad(arena);
  const verify = await paired(
    bench,
    'verify against load',
    () => seconds(() => inArena(arena, verifyMove)),
    () => ourLoad(arena),
  );
  await arena.onSource(`DROP TABLE ${arena.src}.t`);
  await fresh(arena);
  return { pg_pg_vs_psql_copy: load, verify_vs_load: verify };
};

export const mariadbToPostgres: Part = async (bench) => {
  const arena = await arenaFor(bench, ['mysql', 'postgres'], bench.rows(2_000_000));
  const { source, target } = arena.settings;
  if (!existsSync('/usr/bin/pgloader')) {
    const time = await ourLoad(arena);
    say(`MariaDB → PG: ${time.toFixed(2)} s; pgloader is not installed, so there is no ratio`);
    return {};
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-bench-'));
  const script = path.join(folder, 'load');
  await writeFile(
    script,
    `LOAD DATABASE FROM ${source.url}${arena.src} INTO ${target.url} ALTER SCHEMA '${arena.src}' RENAME TO '${arena.raw}';`,
  );
  const ratio = await paired(
    bench,
    'MariaDB → PG against pgloader',
    () => ourLoad(arena),
    async () => {
      await fresh(arena);
      return seconds(() => shell(`pgloader '${script}'`));
    },
  );
  await rm(folder, { recursive: true });
  await arena.onSource(`DROP TABLE ${arena.src}.t`);
  await fresh(arena);
  return { maria_pg_vs_pgloader: ratio };
};

export const postgresToMariadb: Part = async (bench) => {
  const arena = await arenaFor(bench, ['postgres', 'mysql'], bench.rows(2_000_000));
  const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-bench-'));
  const file = path.join(folder, 'rows');
  await shell(
    `psql -qX '${arena.settings.source.url}' -c 'COPY ${arena.src}.t TO STDOUT' > ${file}`,
  );
  const ratio = await paired(
    bench,
    'PG → MariaDB against LOAD DATA of a ready file',
    () => ourLoad(arena),
    async () => {
      await fresh(arena);
      await arena.onTarget(
        `CREATE DATABASE ${arena.raw}`,
        `CREATE TABLE ${arena.raw}.t (${COLUMNS.replace('timestamp', 'datetime(6)')})`,
      );
      return seconds(() =>
        shell(
          `mariadb --local-infile=1 -h127.0.0.1 -P${arena.target.port} -uroot -e "LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${arena.raw}.t CHARACTER SET utf8mb4"`,
        ),
      );
    },
  );
  await rm(folder, { recursive: true });
  await arena.onSource(`DROP TABLE ${arena.src}.t`);
  await fresh(arena);
  return { pg_maria_vs_load_data: ratio };
};

/** The cost of a row among ten times as many: 1 is linear. */
export const linear: Part = async (bench) => {
  const rows = bench.rows(1_000_000);
  const small = await arenaFor(bench, ['postgres', 'postgres'], rows);
  const large = await arenaFor(bench, ['postgres', 'postgres'], rows * 10);
  const ratios: number[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    const few = [await ourLoad(small), await ourLoad(small)];
    ratios.push((await ourLoad(large)) / 10 / Math.min(...few));
  }
  const ratio = median(ratios);
  say(`a row among ${rows * 10} against a row among ${rows}: ${ratio.toFixed(2)}×`);
  return { linear_10x: ratio };
};
