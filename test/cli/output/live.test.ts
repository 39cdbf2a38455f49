import { describe, expect, it, vi } from 'vitest';
import { liveView } from '../../../src/cli/output/live.ts';
import { summarizeRun } from '../../../src/core/lifecycle/run.ts';
import { INITIAL_STATE } from '../../../src/core/lifecycle/state.ts';
import type { ProgressRow } from '../../../src/core/report/progress.ts';
import { terminalTable } from '../../../src/core/report/progress-terminal.ts';
import type { RunStatus } from '../../../src/usecases/status.ts';

const NOW = '2026-07-01T12:01:00.000Z';
const clock = { now: () => NOW, sleep: () => Promise.resolve() };

function row(name: string, more: Partial<ProgressRow>): ProgressRow {
  return {
    name,
    kind: 'procedure',
    status: 'Pending',
    phase: null,
    restarts: 0,
    startedAt: null,
    finishedAt: null,
    waitsFor: [],
    message: null,
    models: [],
    rows: null,
    ...more,
  };
}

function run(...rows: ProgressRow[]): RunStatus {
  return {
    progress: { plan: 'sales', action: 'RUN', rows },
    summary: summarizeRun(
      rows.map(({ status }) => ({ ...INITIAL_STATE, status })),
      [],
    ),
    pipelines: [],
    warning: null,
    workers: 2,
    startedAt: '2026-07-01T12:00:00.000Z',
    finishedAt: null,
  };
}

const sample = run(
  row('dw.load_dim_customer()', { status: 'Completed' }),
  row('dw.load_fact_sales(date, integer)', { status: 'Running', phase: 'prove' }),
  row('dw.load_prices()', { status: 'Failed', message: 'mismatch: 3 rows differ' }),
  row('mart.refresh()', { status: 'Blocked', waitsFor: ['dw.load_prices()'] }),
);

describe('in a pipe', () => {
  it('there is one line for each change, nothing twice, and nothing moves the cursor', () => {
    const written: string[] = [];
    const view = liveView({ write: (text: string) => written.push(text) }, clock);
    view.show(sample);
    view.show(sample);
    view.say('Stopping.');
    expect(written.join('')).toBe(`12:01:00Z dw.load_dim_customer(): Completed
12:01:00Z dw.load_fact_sales(date, integer): Running (prove)
12:01:00Z dw.load_prices(): Failed, mismatch: 3 rows differ
12:01:00Z sales: RUN, 1 of 4 done, 1 failed, 1 blocked, 1 running
12:01:00Z Stopping.
`);
  });
});

describe('on a terminal', () => {
  it('the table takes the place of the one before, and said lines stay above it', () => {
    const screen: string[] = [];
    let at = 0;
    /** Just enough of a terminal: up, clear line, clear below, newline. */
    const write = (text: string): void => {
      // oxlint-disable-next-line no-control-regex
      for (const token of text.match(/\x1b\[(?:\d+A|2K|0J)|\r|\n|[^\x1b\r\n]+/gu) ?? []) {
        if (token.endsWith('A') && token.startsWith('\x1b')) at -= Number(token.slice(2, -1));
        else if (token === '\x1b[2K') screen[at] = '';
        else if (token === '\x1b[0J') screen.splice(at);
        else if (token === '\n') at += 1;
        else if (token !== '\r') screen[at] = token;
      }
    };
    vi.stubEnv('NO_COLOR', '1');
    const drawn = ({ progress }: RunStatus): readonly string[] =>
      terminalTable(progress, { columns: 80, lines: 22, colour: false, now: NOW });
    const view = liveView({ write, isTTY: true, columns: 81, rows: 24 }, clock);
    view.show(sample);
    expect(screen).toEqual(drawn(sample));
    view.say('A line that stays');
    const smaller = run(...sample.progress.rows.slice(0, 2));
    view.show(smaller);
    expect(screen).toEqual(['A line that stays', ...drawn(smaller)]);
    vi.unstubAllEnvs();
  });
});
