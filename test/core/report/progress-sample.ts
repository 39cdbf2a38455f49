/** A run with a row of every status. */
import type { Progress, ProgressRow } from '../../../src/core/report/progress.ts';

export const NOW = '2024-01-01T01:00:00.000Z';

export function row(name: string, some: Partial<ProgressRow>): ProgressRow {
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
    ...some,
  };
}

function at(time: string): string {
  return `2024-01-01T00:${time}.000Z`;
}

export const PROGRESS: Progress = {
  plan: 'sales-warehouse',
  action: 'RUN',
  rows: [
    row('sales.orders', {
      kind: 'pipeline',
      status: 'Completed',
      startedAt: at('50:00'),
      finishedAt: at('52:00'),
      rows: 1_204_331,
    }),
    row('dw.load_dim_customer()', {
      status: 'Completed',
      phase: 'record',
      startedAt: at('59:00'),
      finishedAt: at('59:04'),
      models: ['dim_customer'],
      rows: 1204,
    }),
    row('dw.load_fact_sales(date, boolean)', {
      status: 'Running',
      phase: 'prove',
      restarts: 1,
      startedAt: at('59:48'),
    }),
    row('dw.load_x(integer)', {
      status: 'Failed',
      phase: 'prove',
      startedAt: at('57:48'),
      finishedAt: at('58:50'),
      message: '3 of 1,204 rows differ in dw.x | ask @ann',
    }),
    row('dw.load_mart_sales_by_region()', {
      status: 'Blocked',
      waitsFor: ['dw.load_fact_sales(date, boolean)'],
    }),
    row('dw.load_日本()', {}),
    row('dw.load_old()', { status: 'Skipped', message: 'by ann: not used any more' }),
    row('dw.load_manual()', { status: 'Completed (manual)', models: ['a', 'b'] }),
    row('dw.load_random()', {
      status: 'Completed (accepted)',
      message: 'by ann: random() in a column',
    }),
  ],
};

/** A run of so many procedures, one in ten failed, three running. */
export function manyRows(count: number): readonly ProgressRow[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `dw.load_table_number_${i}(integer, timestamp without time zone)`;
    if (i < 3) return row(name, { status: 'Running', phase: 'prove', startedAt: at('59:00') });
    if (i % 10 === 9)
      return row(name, { status: 'Failed', message: `"x_${i}" does not exist <b>` });
    if (i % 10 === 8) return row(name, { status: 'Blocked', waitsFor: [`dw.load_${i - 1}()`] });
    return row(name, { status: i % 2 === 0 ? 'Completed' : 'Pending', rows: i });
  });
}
