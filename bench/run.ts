/**
 * `npm run bench -- [--json FILE] [--only assess|engine|claims]`: how fast Sprocket itself is, as a
 * table and as JSON. How fast tables move is `npm run bench:move`.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAssess } from './assess.ts';
import { benchClaims } from './claims.ts';
import { benchEngine } from './engine.ts';

const BENCHES = {
  assess: { title: 'Assess generated procedures', run: benchAssess },
  engine: { title: 'The engine in the demo', run: async () => [await benchEngine()] },
  claims: { title: 'Claims and outcomes, one procedure at a time', run: benchClaims },
} as const;

const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
const machine = {
  node: process.version,
  processors: availableParallelism(),
  model: cpus()[0]?.model ?? '',
};
console.log(`Node ${machine.node}, ${machine.processors} processors (${machine.model})`);

const results: Record<string, unknown> = {};
for (const [name, { title, run }] of Object.entries(BENCHES)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`\n${title}`);
  const rows = await run();
  console.table(rows);
  results[name] = rows;
}
if (values.json !== undefined) {
  await writeFile(
    values.json,
    `${JSON.stringify({ sprocket: 1, machine, ...results }, null, 2)}\n`,
  );
}
