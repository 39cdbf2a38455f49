import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { INPUTS, OUTPUTS } from '../../action/inputs.ts';
import { buildAction, readBundle } from '../../scripts/build-action.ts';

const ROOT = join(import.meta.dirname, '../..');

test('action.yml says what the code takes and gives', async () => {
  const described = z
    .object({
      inputs: z.record(
        z.string(),
        z.object({
          description: z.string(),
          required: z.boolean(),
          default: z.string().optional(),
        }),
      ),
      outputs: z.record(z.string(), z.object({ description: z.string() })),
      runs: z.object({ using: z.string(), main: z.string() }),
      branding: z.object({ icon: z.string(), color: z.string() }),
    })
    .parse(parse(await readFile(join(ROOT, 'action.yml'), 'utf8')));
  const inputs = Object.entries(INPUTS).map(([name, row]) => [
    name,
    {
      description: row.description,
      required: row.required,
      ...(row.default === null ? {} : { default: row.default }),
    },
  ]);
  expect(described.inputs).toEqual(Object.fromEntries(inputs));
  expect(described.outputs).toEqual(
    Object.fromEntries(
      Object.entries(OUTPUTS).map(([name, description]) => [name, { description }]),
    ),
  );
  expect(described.runs).toEqual({ using: 'node24', main: 'action/dist/main.mjs' });
});

describe('the bundle', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sprocket-bundle-'));
    await buildAction(join(folder, 'one'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('depends on the sources alone, wherever they lie, so that a stale one can be told', async () => {
    const elsewhere = join(folder, 'elsewhere');
    for (const name of ['action', 'src', 'LICENSE', 'package.json', 'tsconfig.json']) {
      await cp(join(ROOT, name), join(elsewhere, name), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(elsewhere, 'node_modules'));
    await buildAction(join(folder, 'two'), elsewhere);
    const [one, two] = [
      await readBundle(join(folder, 'one')),
      await readBundle(join(folder, 'two')),
    ];
    expect([...one.keys()]).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'LICENSES.txt',
        'driver.py',
        'libpg-query.wasm',
        'main.mjs',
        'schema/001-progress-and-action.sql',
        'worker.mjs',
      ]),
    );
    expect(two).toEqual(one);
  });

  test('names the licence of every package in it, and what is compiled into them', async () => {
    const text = await readFile(join(folder, 'one/LICENSES.txt'), 'utf8');
    const names = [...text.matchAll(/^={80}\n\n(\S+) \d\S*, (\S+)$/gmu)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['pg', 'pg-types', 'undici', 'zod']));
    expect(text).toContain('PostgreSQL License');
  });
});
