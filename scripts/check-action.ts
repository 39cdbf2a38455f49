/** Fails where `action/dist` is not the bundle of the sources. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAction, readBundle } from './build-action.ts';

const folder = await mkdtemp(join(tmpdir(), 'sprocket-bundle-'));
try {
  await buildAction(join(folder, 'dist'));
  const fresh = await readBundle(join(folder, 'dist'));
  const committed = await readBundle(join(import.meta.dirname, '../action/dist')).catch(
    () => new Map<string, string>(),
  );
  const names = new Set([...fresh.keys(), ...committed.keys()]);
  const stale = [...names].filter((name) => fresh.get(name) !== committed.get(name));
  if (stale.length > 0) {
    process.stderr.write(
      `action/dist is not the bundle of the sources (${stale.join(', ')}). Run "node scripts/build-action.ts" and commit it.\n`,
    );
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
