import { expect, test } from 'vitest';
import {
  formatTables,
  parseTables,
  stepSummaryText,
  workerNumbers,
} from '../../../src/core/checkrun/job.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { planText } from './plans.ts';

test('a matrix has at most 256 jobs, and no job without work', () => {
  expect(workerNumbers(4, 10)).toEqual([1, 2, 3, 4]);
  expect(workerNumbers(4, 2)).toEqual([1, 2]);
  expect(workerNumbers(4, 0)).toEqual([1]);
  expect(workerNumbers(1_000, 10_000)).toHaveLength(256);
});

test('where a run is recorded is read back, and nothing else is taken for it', () => {
  const { plan } = parsePlan(planText([{ name: 'dw.load()' }], 'sales'));
  if (plan === null) throw new Error('the plan is wrong');
  expect(parseTables(formatTables(plan, 'docs/plan.md'))).toEqual({
    plan: 'sales',
    path: 'docs/plan.md',
    urlVariable: 'TARGET_DATABASE_URL',
    schema: 'wirekite',
  });
  for (const text of ['', '{', '[]', '{"plan":"sales"}']) expect(parseTables(text)).toBeNull();
});

test('a step summary has less than 1 MiB, in bytes, and ends at a line', () => {
  const row = `| dw.lädt_größe() | ${'ü'.repeat(40)} |\n`;
  const text = stepSummaryText(row.repeat(20_000), 'https://github.com/acme/analytics/pull/1');
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
  expect(Buffer.byteLength(text)).toBeGreaterThan(1024 * 1000);
  expect(text).toMatch(
    /^\[Pull request\]\(https:\/\/github\.com\/acme\/analytics\/pull\/1\)\n\n\| dw/u,
  );
  expect(text).toMatch(/\|\n+… cut here\.\s*$/u);
  expect(stepSummaryText('short\n', null)).toBe('short\n');
});
