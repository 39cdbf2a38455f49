import { expect, test } from 'vitest';
import { stepSummaryText, workerNumbers } from '../../../src/core/checkrun/job.ts';

test('a matrix has at most 256 jobs, and no job without work', () => {
  expect(workerNumbers(4, 10)).toEqual([1, 2, 3, 4]);
  expect(workerNumbers(4, 2)).toEqual([1, 2]);
  expect(workerNumbers(4, 0)).toEqual([1]);
  expect(workerNumbers(1_000, 10_000)).toHaveLength(256);
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
