import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { STATUSES } from '../../../src/core/lifecycle/state.ts';
import {
  changeLines,
  plainLines,
  terminalTable,
} from '../../../src/core/report/progress-terminal.ts';
import { width } from '../../../src/core/report/text.ts';
import { manyRows, NOW, PROGRESS, row } from './progress-sample.ts';

const OPTIONS = { columns: 80, lines: 60, colour: false, now: NOW };

function picture(lines: readonly string[]): string {
  return `\n${lines.join('\n')}\n`;
}

test('80 columns', () => {
  expect(picture(terminalTable(PROGRESS, OPTIONS))).toMatchInlineSnapshot(`
    "
    sales-warehouse                                                              RUN
    ██████████████████████░░░░░░░░░░░░░░░░░░  5 of 9 done
    1 failed, 1 blocked, 1 running, 1 pending, 1 accepted, 1 manual, 1 skipped
      Status     Name                               Phase    Time  Detail
    ✓ Completed  sales.orders (pipeline)                   2m 00s  1,204,331 rows
    ✓ Completed  dw.load_dim_customer()                        4s  1,204 rows
    ● Running    dw.load_fact_sales(date, boolean)  prove     12s  1 restart
    ✗ Failed     dw.load_x(integer)                 prove  1m 02s
                 3 of 1,204 rows differ in dw.x | ask @ann
    ○ Blocked    dw.load_mart_sales_by_region()
                 waits for dw.load_fact_sales(date, boolean)
    · Pending    dw.load_日本()
    – Skipped    dw.load_old()
                 by ann: not used any more
    ✓ Manual     dw.load_manual()                                  2 models
    ✓ Accepted   dw.load_random()
                 by ann: random() in a column
    "
  `);
});

test('room for all details', () => {
  expect(picture(terminalTable(PROGRESS, { ...OPTIONS, columns: 130 }))).toMatchInlineSnapshot(`
    "
    sales-warehouse                                                                                                                RUN
    ██████████████████████░░░░░░░░░░░░░░░░░░  5 of 9 done
    1 failed, 1 blocked, 1 running, 1 pending, 1 accepted, 1 manual, 1 skipped
      Status     Name                               Phase    Time  Detail
    ✓ Completed  sales.orders (pipeline)                   2m 00s  1,204,331 rows
    ✓ Completed  dw.load_dim_customer()                        4s  1,204 rows, 1 model
    ● Running    dw.load_fact_sales(date, boolean)  prove     12s  1 restart
    ✗ Failed     dw.load_x(integer)                 prove  1m 02s  3 of 1,204 rows differ in dw.x | ask @ann
    ○ Blocked    dw.load_mart_sales_by_region()                    waits for dw.load_fact_sales(date, boolean)
    · Pending    dw.load_日本()
    – Skipped    dw.load_old()                                     by ann: not used any more
    ✓ Manual     dw.load_manual()                                  2 models
    ✓ Accepted   dw.load_random()                                  by ann: random() in a column
    "
  `);
});

test('a pipe gets plain lines, uncut', () => {
  expect(picture(plainLines(PROGRESS, NOW))).toMatchInlineSnapshot(`
    "
    sales-warehouse: RUN, 5 of 9 done, 1 failed, 1 blocked, 1 running, 1 pending, 1 accepted, 1 manual, 1 skipped
    Completed             sales.orders (pipeline)                   2m 00s  1,204,331 rows
    Completed             dw.load_dim_customer()                        4s  1,204 rows, 1 model
    Running               dw.load_fact_sales(date, boolean)  prove     12s  1 restart
    Failed                dw.load_x(integer)                 prove  1m 02s  3 of 1,204 rows differ in dw.x | ask @ann
    Blocked               dw.load_mart_sales_by_region()                    waits for dw.load_fact_sales(date, boolean)
    Pending               dw.load_日本()
    Skipped               dw.load_old()                                     by ann: not used any more
    Completed (manual)    dw.load_manual()                                  2 models
    Completed (accepted)  dw.load_random()                                  by ann: random() in a column
    "
  `);
});

test('of a thousand procedures, what moves and what needs a person is shown', () => {
  const progress = { plan: 'big', action: 'PAUSE' as const, rows: manyRows(1000) };
  expect(picture(terminalTable(progress, { ...OPTIONS, lines: 14 }))).toMatchInlineSnapshot(`
    "
    big                                                                        PAUSE
    ███████████████░░░░░░░░░░░░░░░░░░░░░░░░░  398 of 1,000 done
    100 failed, 100 blocked, 3 running, 399 pending
      Status     Name                                                  Phase    Time
    ● Running    dw.load_table_number_0(integer, timestamp without t…  prove  1m 00s
    ● Running    dw.load_table_number_1(integer, timestamp without t…  prove  1m 00s
    ● Running    dw.load_table_number_2(integer, timestamp without t…  prove  1m 00s
    ✗ Failed     dw.load_table_number_9(integer, timestamp without t…
                 "x_9" does not exist <b>
    ✗ Failed     dw.load_table_number_19(integer, timestamp without…
                 "x_19" does not exist <b>
    ✗ Failed     dw.load_table_number_29(integer, timestamp without…
                 "x_29" does not exist <b>
    … and 994 more: 399 pending, 100 blocked, 97 failed, 398 completed
    "
  `);
  expect(plainLines(progress, NOW)).toHaveLength(1001);
});

test('a run without rows has a head only', () => {
  expect(terminalTable({ plan: 'p', action: null, rows: [] }, { ...OPTIONS, columns: 20 })).toEqual(
    ['p', '0 of 0 done'],
  );
});

test('colour only when asked', () => {
  const coloured = terminalTable(PROGRESS, { ...OPTIONS, colour: true });
  const escape = '\u001B[';
  expect(terminalTable(PROGRESS, OPTIONS).join('')).not.toContain(escape);
  expect(coloured.find((line) => line.includes('load_x'))).toContain(`${escape}31m✗ Failed`);
});

test('a running log has a line for each change', () => {
  const before = PROGRESS.rows;
  const after = before.map((of) => {
    if (of.name === 'dw.load_日本()')
      return { ...of, status: 'Running' as const, phase: 'discover' };
    if (of.status !== 'Running') return of;
    return { ...of, status: 'Completed' as const, finishedAt: NOW, rows: 12 };
  });
  expect(changeLines(before, before, NOW)).toEqual([]);
  expect(changeLines(before, after, NOW)).toEqual([
    'dw.load_fact_sales(date, boolean): Completed after 12s, 12 rows, 1 restart',
    'dw.load_日本(): Running (discover)',
  ]);
  expect(changeLines([], before.slice(3, 5), NOW)).toEqual([
    'dw.load_x(integer): Failed after 1m 02s, 3 of 1,204 rows differ in dw.x | ask @ann',
    'dw.load_mart_sales_by_region(): Blocked, waits for dw.load_fact_sales(date, boolean)',
  ]);
});

test('no line is wider than the terminal, and no name moves its cursor', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  const rows = fc.array(
    fc.record({
      name: text,
      status: fc.constantFrom(...STATUSES),
      phase: fc.option(text),
      message: fc.option(text),
      restarts: fc.nat({ max: 5 }),
      waitsFor: fc.array(text, { maxLength: 5 }),
      rows: fc.option(fc.nat()),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      rows,
      fc.integer({ min: 20, max: 140 }),
      fc.integer({ min: 8, max: 40 }),
      (some, columns, lines) => {
        const progress = {
          plan: 'p',
          action: 'RUN' as const,
          rows: some.map((of) => row(of.name, of)),
        };
        const table = terminalTable(progress, { columns, lines, colour: false, now: NOW });
        for (const line of table) {
          expect(width(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
        expect(table.length).toBeLessThanOrEqual(lines);
      },
    ),
  );
});
