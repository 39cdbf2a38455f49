import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkOutBranch } from '../../../src/adapters/git/checkout.ts';
import { openRepository } from '../../../src/adapters/git/repository.ts';
import { scratchRepository } from './scratch.ts';
import type { ScratchRepository } from './scratch.ts';

const BRANCH = 'sprocket/sales';
let scratch: ScratchRepository;

beforeEach(() => {
  scratch = scratchRepository();
  scratch.write('plan.md', '# Plan\n');
  scratch.commitAll('Plan');
});
afterEach(() => scratch.remove());

async function commit(content: string): Promise<void> {
  const repository = await openRepository(scratch.directory);
  await repository.commit({
    branch: BRANCH,
    start: await repository.resolve('HEAD'),
    message: 'Models\n',
    at: '2026-01-01T00:00:00.000Z',
    files: new Map([['a.sql', content]]),
    rewrites: new Map(),
  });
}

it('shows the branch, follows it, and lets it be written', async () => {
  const folder = join(scratch.directory, '.sprocket', 'branch');
  const shown = (): string => readFileSync(join(folder, 'a.sql'), 'utf8');
  await commit('1');
  await checkOutBranch(scratch.directory, BRANCH, folder);
  expect(shown()).toBe('1');
  await commit('2');
  await checkOutBranch(scratch.directory, BRANCH, folder);
  expect(shown()).toBe('2');
  rmSync(folder, { recursive: true });
  await checkOutBranch(scratch.directory, BRANCH, folder);
  expect(shown()).toBe('2');
});

it('does not overwrite what a person changed there', async () => {
  const folder = join(scratch.directory, '.sprocket', 'branch');
  await commit('1');
  await checkOutBranch(scratch.directory, BRANCH, folder);
  writeFileSync(join(folder, 'a.sql'), 'mine');
  await commit('2');
  await expect(checkOutBranch(scratch.directory, BRANCH, folder)).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('a.sql') as string,
  });
  expect(readFileSync(join(folder, 'a.sql'), 'utf8')).toBe('mine');
});
