/** A migration with an entry of every kind. */
import type { ProofVerdict } from '../../../src/core/proof/types.ts';
import type { MigrationEntry, MigrationReport } from '../../../src/core/report/migration-types.ts';
import type { Translation } from '../../../src/core/translate/types.ts';

export function translation(routine: string, some: Partial<Translation> = {}): Translation {
  return {
    routine,
    outcome: 'models',
    models: [],
    tests: [],
    parameters: [],
    refusals: [],
    notes: [],
    branches: [],
    calls: [],
    reads: [],
    writes: [],
    logTables: [],
    ...some,
  };
}

export function verdict(name: string, some: Partial<ProofVerdict> = {}): ProofVerdict {
  return {
    name,
    outcome: 'proven',
    models: [],
    rounds: 3,
    rows: 1204,
    seconds: 4.21,
    reasons: [],
    differences: [],
    branches: { reached: 0, total: 0 },
    leftOut: [],
    ...some,
  };
}

export function entry(name: string, some: Partial<MigrationEntry> = {}): MigrationEntry {
  return {
    name,
    translation: translation(name),
    verdict: verdict(name),
    decision: null,
    models: [],
    ...some,
  };
}

function models(...names: string[]): MigrationEntry['models'] {
  return names.map((name) => ({ name, path: `models/${name}.sql` }));
}

const REFUSAL = {
  line: 12,
  construct: "COPY dw.sales TO '/tmp/x' | gzip",
  message: 'COPY writes a file.',
  advice: 'Load the file with a pipeline.',
};
const AT = '2024-01-31T10:00:00.000Z';
const SALES = 'dw.load_sales(date)';

export const REPORT: MigrationReport = {
  plan: 'sales-warehouse',
  project: 'transform',
  maxRows: 100_000,
  entries: [
    entry('dw.load_dim_customer()', {
      models: models('dim_customer'),
      verdict: verdict('dw.load_dim_customer()', {
        rows: 1_203_127,
        branches: { reached: 2, total: 3 },
      }),
      translation: translation('dw.load_dim_customer()', {
        logTables: [{ schema: 'dw', name: 'load_log' }],
        notes: [
          { kind: 'log-table', line: 3, message: 'dw.load_log only gets row counts.' },
          { kind: 'left-out', line: 20, message: 'The notice is not repeated.' },
          {
            kind: 'author-bug',
            line: 14,
            message: 'The UPDATE has no join condition; it changes <all> rows.',
          },
        ],
      }),
    }),
    entry(SALES, {
      models: models('sales', 'sales_by_day'),
      translation: translation(SALES, {
        parameters: [{ name: 'p_day', type: 'date', defaultSql: null }],
        logTables: [{ schema: 'dw', name: 'load_log' }],
      }),
      verdict: verdict(SALES, { leftOut: [{ column: 'dw.sales.token', reason: 'random()' }] }),
    }),
    entry('dw.check_sales()', {
      translation: translation('dw.check_sales()', { outcome: 'checks' }),
    }),
    entry('dw.load_by_hand()', {
      models: models('by_hand'),
      decision: { kind: 'manual', by: 'bea', at: AT, reason: null },
    }),
    entry('dw.load_random()', {
      models: models('random'),
      verdict: verdict('dw.load_random()', {
        outcome: 'mismatch',
        differences: [
          {
            table: { schema: 'dw', name: 'random' },
            round: 'first run',
            procedure: { id: '1', draw: '0.25' },
            model: { id: '1', draw: '0.75' },
          },
        ],
      }),
      decision: { kind: 'accept', by: 'ann', at: AT, reason: 'the draw is @random by intent' },
    }),
    entry('dw.export_all()', {
      translation: translation('dw.export_all()', {
        outcome: 'refused',
        refusals: [{ code: 'copy', ...REFUSAL }],
      }),
      verdict: null,
    }),
    entry('dw.load_old()', {
      translation: null,
      verdict: null,
      decision: { kind: 'skip', by: 'ann', at: null, reason: 'Not used any more.' },
    }),
  ],
  notIncluded: [{ name: 'dw.vacuum_all()', reason: 'only maintenance' }],
  variables: [
    { name: 'p_day', routine: SALES, parameter: 'p_day', value: null },
    { name: 'p_full', routine: SALES, parameter: 'p_full', value: 'false' },
  ],
  problems: [
    {
      subject: 'dw.sales',
      message: 'The model stg_sales builds this table too.',
      advice: 'Delete one of them.',
    },
  ],
};
