import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { liveView } from '../../../src/cli/output/live.ts';
import { changeLines, progressTable } from '../../../src/cli/output/progress-table.ts';
import { summarizeRun } from '../../../src/core/lifecycle/run.ts';
import { INITIAL_STATE, STATUSES } from '../../../src/core/lifecycle/state.ts';
import type { ProcedureStatus, RunStatus } from '../../../src/usecases/status.ts';

const NOW = Date.parse('2026-07-01T12:01:00.000Z');
const paint = (_: unknown, text: string): string => text;

function procedure(id: string, more: Partial<ProcedureStatus>): ProcedureStatus {
  return {
    id,
    status: 'Pending',
    mark: null,
    detail: null,
    proof: null,
    restarts: 0,
    startedAt: null,
    finishedAt: null,
    ...more,
  };
}

function run(...procedures: ProcedureStatus[]): RunStatus {
  return {
    plan: 'sales',
    action: { action: 'RUN', warning: null },
    workers: 2,
    startedAt: '2026-07-01T12:00:00.000Z',
    finishedAt: null,
    summary: summarizeRun(procedures.map(({ status }) => ({ ...INITIAL_STATE, status }))),
    procedures,
  };
}

const sample = run(
  procedure('dw.load_dim_customer()', { status: 'Completed', proof: 'proven' }),
  procedure('dw.load_fact_sales(date, integer)', {
    status: 'Running',
    mark: 'build',
    startedAt: '2026-07-01T12:00:48.000Z',
    restarts: 1,
  }),
  procedure('dw.load_prices()', {
    status: 'Failed',
    proof: 'mismatch',
    detail: '3 rows differ in dw.prices, the first in column amount: 10.50 became 10.5',
  }),
  procedure('mart.refresh()', {
    status: 'Blocked',
    detail: 'Waits behind dw.load_prices(), which failed: retry, skip, manual or accept it.',
  }),
);

function table(status: RunStatus, width = 80, height: number | null = null): string[] {
  return progressTable(status, { width, height, now: NOW, paint });
}

describe('the progress table', () => {
  it('fits into 80 columns, with what needs a person first', () => {
    expect(`\n${table(sample).join('\n')}\n`).toBe(`
sales · running · 1 of 4 done · 1 failed · 1 blocked · 2 workers · 1 min 0 s
█████░░░░░░░░░░░░░░░ 25 %
✗ dw.load_prices()                  Failed    mismatch: 3 rows differ in dw.pri…
● dw.load_fact_sales(date, integer) Running   proving, 12 s, restart 1
◌ mart.refresh()                    Blocked   Waits behind dw.load_prices(), wh…
✓ dw.load_dim_customer()            Completed
`);
  });

  it('counts what has no room among 1,000 procedures', () => {
    const many = run(
      ...Array.from({ length: 1000 }, (_, index) =>
        procedure(`dw.p${index}()`, { status: index < 990 ? 'Completed' : 'Failed' }),
      ),
    );
    const lines = table(many, 80, 10);
    expect(lines).toHaveLength(10);
    expect(lines[2]).toContain('dw.p990()');
    expect(lines.at(-1)).toBe('  … and 993 more: 3 Failed, 990 Completed');
  });

  it('is never wider or higher than the terminal, whatever the names', () => {
    const rows = fc.array(
      fc.record({
        id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
        status: fc.constantFrom(...STATUSES),
        detail: fc.option(fc.string({ unit: 'binary', maxLength: 200 })),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 40, max: 200 }),
        fc.integer({ min: 4, max: 40 }),
        (list, width, height) => {
          const lines = table(
            run(...list.map(({ id, ...more }) => procedure(id, more))),
            width,
            height,
          );
          expect(lines.length).toBeLessThanOrEqual(height);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it('lets no name or message give orders to the terminal', () => {
    const lines = table(
      run(
        procedure('dw.\x1b[2Jx()\r\n', { status: 'Failed', detail: '\x1b]0;title\x07\u{202E}abc' }),
      ),
    );
    // oxlint-disable-next-line no-control-regex
    expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u{202E}]/u);
  });
});

describe('in a pipe', () => {
  it('there is one plain line for each change', () => {
    const next = run(
      ...sample.procedures.map((row) =>
        row.status === 'Running' ? { ...row, status: 'Completed' as const } : row,
      ),
    );
    expect(changeLines(sample, next)).toEqual(['Completed: dw.load_fact_sales(date, integer)']);
    expect(changeLines(null, sample)).toEqual([
      'Completed: dw.load_dim_customer()',
      'Running: dw.load_fact_sales(date, integer)',
      'Failed: dw.load_prices() — mismatch: 3 rows differ in dw.prices, the first in column amount: 10.50 became 10.5',
    ]);
  });

  it('nothing is written twice, and nothing moves the cursor', () => {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) };
    const clock = { now: () => '2026-07-01T12:01:00.000Z', sleep: () => Promise.resolve() };
    const view = liveView(output, clock);
    view.show(sample);
    view.show(sample);
    view.say('Stopping.');
    expect(written.join('')).toBe(`12:01:00Z Completed: dw.load_dim_customer()
12:01:00Z Running: dw.load_fact_sales(date, integer)
12:01:00Z Failed: dw.load_prices() — mismatch: 3 rows differ in dw.prices, the first in column amount: 10.50 became 10.5
12:01:00Z sales · running · 1 of 4 done · 1 failed · 1 blocked · 2 workers
12:01:00Z Stopping.
`);
  });
});

describe('on a terminal', () => {
  it('the table takes the place of the one before, and said lines stay above it', () => {
    const screen: string[] = [];
    let row = 0;
    /** Just enough of a terminal: up, clear line, clear below, newline. */
    const write = (text: string): void => {
      // oxlint-disable-next-line no-control-regex
      for (const token of text.match(/\x1b\[(?:\d+A|2K|0J)|\r|\n|[^\x1b\r\n]+/gu) ?? []) {
        if (token.endsWith('A') && token.startsWith('\x1b')) row -= Number(token.slice(2, -1));
        else if (token === '\x1b[2K') screen[row] = '';
        else if (token === '\x1b[0J') screen.splice(row);
        else if (token === '\n') row += 1;
        else if (token !== '\r') screen[row] = token;
      }
    };
    process.env.NO_COLOR = '1';
    const clock = { now: () => '2026-07-01T12:01:00.000Z', sleep: () => Promise.resolve() };
    const view = liveView({ write, isTTY: true, columns: 81, rows: 24 }, clock);
    view.show(sample);
    expect(screen).toEqual(table(sample));
    view.say('A line that stays');
    const smaller = run(...sample.procedures.slice(0, 2));
    view.show(smaller);
    expect(screen).toEqual(['A line that stays', ...table(smaller)]);
    delete process.env.NO_COLOR;
  });
});
