import { defineConfig } from 'vitest/config';
import { memoryFolder } from './scripts/memory-folder.ts';

/** In CI the counts are needed as numbers, beside the output for people. */
const inCi = (process.env.CI ?? '') !== '';

const folder = process.env.TMPDIR ?? memoryFolder();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
    env: folder === null ? {} : { TMPDIR: folder },
    reporters: inCi ? ['default', 'json'] : ['default'],
    outputFile: { json: 'build/test-results.json' },
  },
});
