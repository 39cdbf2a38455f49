import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

  async function run(file: string, args: readonly string[], environment: Record<string, string>) {
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(folder, 'one', file), ...args],
        { env: { PATH: process.env['PATH'] ?? '', ...environment }, cwd: folder },
      );
      return { code: 0, stdout };
    } catch (error) {
      return z.object({ code: z.number(), stdout: z.string() }).parse(error);
    }
  }

  test('depends on the sources alone, so that a stale one can be told', async () => {
    await buildAction(join(folder, 'two'));
    const [one, two] = [
      await readBundle(join(folder, 'one')),
      await readBundle(join(folder, 'two')),
    ];
    expect([...one.keys()]).toEqual(
      expect.arrayContaining(['libpg-query.wasm', 'main.mjs', 'sprocket.mjs']),
    );
    expect(two).toEqual(one);
  });

  test('holds the command that workers are started with, away from node_modules', async () => {
    const { stdout } = await run('sprocket.mjs', ['assess', '--help'], {});
    expect(stdout).toContain('Usage: sprocket assess');
  });

  test.each([
    [{}, 'The input command is missing.'],
    [{ INPUT_COMMAND: 'deploy' }, 'There is no command "deploy". Write one of scope, plan'],
    [{ INPUT_COMMAND: 'plan' }, 'GITHUB_REPOSITORY is not set.'],
  ])('%j fails with what is wrong', async (environment, message) => {
    const { code, stdout } = await run('main.mjs', [], environment);
    expect(code).toBe(1);
    expect(stdout).toContain(`::error::${message}`);
  });
});
