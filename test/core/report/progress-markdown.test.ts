import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLength } from '../../../src/core/report/markdown.ts';
import { progressMarkdown } from '../../../src/core/report/progress-markdown.ts';
import type { ProgressMarkdownOptions } from '../../../src/core/report/progress-markdown.ts';
import { progressTitle } from '../../../src/core/report/progress.ts';
import { tablesOf } from '../plan/markdown-oracle.ts';
import { manyRows, NOW, PROGRESS, row } from './progress-sample.ts';

const OPTIONS: ProgressMarkdownOptions = {
  now: NOW,
  limit: 65_535,
  logs: new Map(),
  wholeUrl: null,
};

test('failed and blocked rows come first, and text is escaped', () => {
  expect(progressMarkdown(PROGRESS, OPTIONS)).toMatchInlineSnapshot(`
    "**5 of 9 done, 1 failed, 1 blocked, 1 running, 1 pending, 1 accepted, 1 manual, 1 skipped**

    |  | Name | Status | Phase | Time | Details |
    |---|---|---|---|---:|---|
    | ❌ | \`dw.load_x(integer)\` | Failed | prove | 1m 02s | 3 of 1,204 rows differ in dw.x &#124; ask @&#8203;ann |
    | ⛔ | \`dw.load_mart_sales_by_region()\` | Blocked |  |  | waits for dw.load_fact_sales(date, boolean) |
    | 🔄 | \`dw.load_fact_sales(date, boolean)\` | Running | prove | 12s | 1 restart |
    | ⏳ | \`dw.load_日本()\` | Pending |  |  |  |
    | ☑️ | \`dw.load_random()\` | Completed (accepted) |  |  | by ann: random() in a column |
    | ☑️ | \`dw.load_manual()\` | Completed (manual) |  |  | 2 models |
    | ✅ | \`sales.orders\` (pipeline) | Completed |  | 2m 00s | 1,204,331 rows |
    | ✅ | \`dw.load_dim_customer()\` | Completed |  | 4s | 1,204 rows, 1 model |
    | ⏭️ | \`dw.load_old()\` | Skipped |  |  | by ann: not used any more |
    "
  `);
});

test('a paused run says so', () => {
  const text = progressMarkdown({ ...PROGRESS, action: 'PAUSE', rows: [] }, OPTIONS);
  expect(text).toBe('**0 of 0 done** · PAUSE\n');
});

test('logs fold beneath their row', () => {
  const logs = new Map([['dw.load_x(integer)', ['12:00:01 build', '12:00:02 <b>`x`</b> | @ann']]]);
  const text = progressMarkdown(PROGRESS, { ...OPTIONS, logs });
  expect(text.split('\n').find((line) => line.includes('load_x'))).toMatchInlineSnapshot(
    `"| ❌ | \`dw.load_x(integer)\` | Failed | prove | 1m 02s | 3 of 1,204 rows differ in dw.x &#124; ask @&#8203;ann <details><summary>Log (2 lines)</summary><pre>12:00:01 build<br>12:00:02 &#60;b&#62;&#96;x&#96;&#60;/b&#62; &#124; @&#8203;ann</pre></details> |"`,
  );
});

test('long logs lose their beginning', () => {
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
  const text = progressMarkdown(PROGRESS, {
    ...OPTIONS,
    logs: new Map([['dw.load_old()', lines]]),
  });
  expect(text).toContain(
    '<summary>Log (100 lines)</summary><pre>… 70 earlier lines<br>line 70<br>',
  );
  expect(text).toContain('line 99</pre>');
});

test('ten thousand procedures stay under the limit, cut at a row, and all are accounted for', () => {
  const rows = manyRows(10_000);
  const logs = new Map(rows.map(({ name }) => [name, ['a log line']]));
  const progress = { plan: 'big', action: 'RUN' as const, rows };
  const text = progressMarkdown(progress, {
    ...OPTIONS,
    logs,
    wholeUrl: 'https://github.com/a/b/actions/runs/1',
  });
  expect(byteLength(text)).toBeLessThanOrEqual(65_535);
  expect(byteLength(text)).toBeGreaterThan(64_500);
  const table = tablesOf(text)[0];
  const shown = (table?.children.length ?? 0) - 1;
  expect(table?.children.every((child) => child.children.length === 6)).toBe(true);
  expect(text.trimEnd().split('\n').at(-1)).toBe(
    `… and ${(10_000 - shown).toLocaleString('en-US')} more rows: 3,999 pending, 1,000 blocked, 3 running, ${1000 - shown} failed, 3,998 completed. [The whole table](https://github.com/a/b/actions/runs/1)`,
  );
});

test('whatever the limit, rows and those left out add up', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 20_000 }),
      fc.nat({ max: 60 }),
      fc.boolean(),
      (limit, count, withLogs) => {
        const rows = manyRows(count);
        const logs = new Map(
          withLogs
            ? rows.map(({ name }, i) => [name, Array.from({ length: i }, () => 'x'.repeat(i))])
            : [],
        );
        const text = progressMarkdown(
          { plan: 'p', action: 'RUN', rows },
          { ...OPTIONS, limit, logs },
        );
        expect(byteLength(text)).toBeLessThanOrEqual(limit);
        const shown = Math.max(0, (tablesOf(text)[0]?.children.length ?? 1) - 1);
        const left = Number(/… and (\d+) more/u.exec(text)?.[1] ?? 0);
        expect(shown + left).toBe(count);
      },
    ),
  );
});

test('a title fits a check run', () => {
  expect(progressTitle(PROGRESS.rows)).toBe(
    '5 of 9 done, 1 failed, 1 blocked, 1 running, 1 pending, 1 accepted, 1 manual, 1 skipped',
  );
  expect(progressTitle([row('a', { status: 'Completed' })])).toBe('1 of 1 done');
});
