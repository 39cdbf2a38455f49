/** `scripts/setup.ts`: at once where everything is there, and a way out where Python is missing. */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './harness.ts';

it('changes nothing where the environment is what the requirements say', async () => {
  const stamp = join(ROOT, '.venv/sprocket-requirements.sha256');
  const before = await stat(stamp);
  const result = spawnSync(process.execPath, [join(ROOT, 'scripts/setup.ts')], {
    encoding: 'utf8',
  });
  expect([result.status, result.stdout]).toEqual([0, '']);
  expect((await stat(stamp)).mtimeMs).toBe(before.mtimeMs);
});

it('says what to install where there is no Python that dbt runs on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sprocket-setup-'));
  try {
    await cp(join(ROOT, 'scripts/setup.ts'), join(folder, 'scripts/setup.ts'));
    await cp(join(ROOT, 'requirements.txt'), join(folder, 'requirements.txt'));
    const result = spawnSync(process.execPath, [join(folder, 'scripts/setup.ts')], {
      encoding: 'utf8',
      env: { ...process.env, SPROCKET_PYTHON: '/nowhere/python3' },
    });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('python3-venv');
    expect(result.stderr).toContain('SPROCKET_PYTHON');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
