/** Loaded into each Node process of a run: leaves the processor time that the process took, and how long it lived. */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = process.env.SPROCKET_BENCH_TIMES ?? '';

process.on('exit', () => {
  if (folder === '') return;
  const { user, system } = process.cpuUsage();
  const program = basename(process.argv[1] ?? '');
  const record = {
    program,
    arguments: process.argv.slice(2, 3),
    seconds: (user + system) / 1e6,
    lived: process.uptime(),
  };
  writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(record));
});
