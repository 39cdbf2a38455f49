import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkBoundaries } from '../../scripts/check-boundaries.ts';

const LAYOUT = [
  'src/core/value.ts',
  'src/ports/port.ts',
  'src/usecases/use.ts',
  'src/adapters/git/git.ts',
  'src/adapters/dbt/dbt.ts',
  'src/cli/main.ts',
  'app/main.ts',
  'action/main.ts',
];

let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sprocket-boundaries-'));
  for (const file of LAYOUT) await write(file, 'export const value = 1;\n');
});

afterEach(() => rm(root, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
}

const using = (module: string): string =>
  `import { value } from '${module}';\nexport const used = value;\n`;

describe('what may not be imported', () => {
  test.for([
    ['src/core/value.ts', '../ports/port.ts', 'core-only-core'],
    ['src/core/value.ts', 'node:fs', 'core-only-core'],
    ['src/ports/port.ts', '../usecases/use.ts', 'ports-only-core'],
    ['src/usecases/use.ts', '../adapters/git/git.ts', 'usecases-only-core-and-ports'],
    ['src/adapters/git/git.ts', '../dbt/dbt.ts', 'adapter-git-only-its-vendor'],
    ['src/adapters/git/git.ts', '../../usecases/use.ts', 'adapter-git-only-its-vendor'],
    ['src/adapters/new/new.ts', '../../core/value.ts', 'adapter-unknown'],
    ['app/main.ts', '../action/main.ts', 'app-not-other-edges'],
    ['action/main.ts', '../src/cli/main.ts', 'action-not-other-edges'],
    ['src/cli/main.ts', '../../app/main.ts', 'cli-not-other-edges'],
    ['src/core/value.ts', './nowhere.ts', 'not-found'],
  ])('%s does not import %s', async ([file = '', module = '', rule = '']) => {
    await write(file, using(module));
    const { violations } = await checkBoundaries(root);
    expect(violations.filter(({ from }) => from === file).map((each) => each.rule)).toContain(rule);
  });

  test('nor by its types alone', async () => {
    const text = "import type { Port } from '../ports/port.ts';\nexport type { Port };\n";
    await write('src/core/value.ts', text);
    expect((await checkBoundaries(root)).violations).toHaveLength(1);
  });
});

test('what may be imported', async () => {
  await write('src/ports/port.ts', using('../core/value.ts'));
  await write('src/usecases/use.ts', using('../ports/port.ts'));
  await write('src/adapters/git/git.ts', `import 'node:fs';\n${using('../../ports/port.ts')}`);
  await write('src/cli/main.ts', using('../adapters/git/git.ts'));
  await write('app/main.ts', using('../src/usecases/use.ts'));
  const found = await checkBoundaries(root);
  expect(found).toEqual({ violations: [], unseen: [], modules: LAYOUT.length });
});
