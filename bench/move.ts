/**
 * How fast tables move, against what the databases do themselves.
 * `npm run bench:move -- [--json FILE] [--scale 1] [--rounds 5] [--only pg,maria,to-maria,follow,rates,linear]`
 *
 * Each ratio is the median of paired rounds in one run, in both orders. `--scale 0.1` moves a tenth of the rows. With `--only`
 * the figures of other parts that FILE has already stay in it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startServers, stopServers } from '../test/movement/support.ts';
import { followNative, followRates } from './move/follow.ts';
import { linear, mariadbToPostgres, postgresLoad, postgresToMariadb } from './move/loads.ts';
import type { Bench, Part } from './move/tools.ts';
import { say } from './move/tools.ts';

const PARTS: Readonly<Record<string, Part>> = {
  pg: postgresLoad,
  maria: mariadbToPostgres,
  'to-maria': postgresToMariadb,
  follow: followNative,
  rates: followRates,
  linear,
};
const RATIOS = [
  'pg_pg_vs_psql_copy',
  'maria_pg_vs_pgloader',
  'pg_maria_vs_load_data',
  'follow_vs_native',
  'verify_vs_load',
];
const figuresSchema = z.record(z.string(), z.number());
const fileSchema = z.object({
  ratios: figuresSchema,
  others: figuresSchema.default({}),
  peak_rss_mb: z.number(),
});

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: Object.keys(PARTS).join() },
  },
});
const scale = Number(values.scale);
const wanted = values.only.split(',');
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0)
  throw new Error(`There is no part ${unknown.join()}; there are ${Object.keys(PARTS).join()}.`);

const servers = await startServers();
const bench: Bench = {
  servers,
  rounds: Number(values.rounds),
  rows: (full) => Math.max(1000, Math.round(full * scale)),
  arenas: [],
};
const base = process.memoryUsage().rss;
let peak = 0;
const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss - base)), 50);
const figures: Record<string, number> = {};
try {
  for (const name of wanted) Object.assign(figures, await PARTS[name]?.(bench));
} finally {
  clearInterval(sampling);
  await Promise.all(bench.arenas.map((arena) => arena.close()));
  await stopServers(servers);
}

const peakMb = Math.round(peak / 1024 / 1024);
say(`memory beyond the base: ${peakMb} MB`);
if (values.json !== undefined) {
  const before = await readFile(values.json, 'utf8').then(
    (text) => fileSchema.parse(JSON.parse(text)),
    () => ({ ratios: {}, others: {}, peak_rss_mb: 0 }),
  );
  const part = (isRatio: boolean) =>
    Object.fromEntries(
      Object.entries(figures).filter(([name]) => RATIOS.includes(name) === isRatio),
    );
  const result = {
    ratios: { ...before.ratios, ...part(true) },
    others: { ...before.others, ...part(false) },
    peak_rss_mb: Math.max(before.peak_rss_mb, peakMb),
  };
  await writeFile(values.json, `${JSON.stringify(result)}\n`);
}
