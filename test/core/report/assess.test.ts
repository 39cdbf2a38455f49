import { expect, test } from 'vitest';
import { assess, assessLines } from '../../../src/core/report/assess.ts';
import { width } from '../../../src/core/report/text.ts';
import { makeRefusal } from '../../../src/core/translate/refusals.ts';
import type { TranslatedModel, Translation } from '../../../src/core/translate/types.ts';
import { translation } from './migration-sample.ts';

function model(name: string): TranslatedModel {
  return {
    table: { schema: 'dw', name },
    columns: [],
    materialization: 'table',
    query: { ctes: [], final: [] },
    incremental: null,
    buildAfter: [],
    intermediate: false,
    lines: { first: 1, last: 1 },
  };
}

const COPY = makeRefusal(
  'copy',
  { line: 12, construct: "COPY t TO '/tmp/x'" },
  'COPY writes a file.',
);
const DYNAMIC = makeRefusal(
  'dynamic-sql',
  { line: 3, construct: 'EXECUTE v_sql' },
  'The text is built from rows.',
);

const TRANSLATIONS: readonly Translation[] = [
  translation('dw.load_sales(date)', { models: [model('sales'), model('sales_by_day')] }),
  translation('dw.export_all()', { outcome: 'refused', refusals: [COPY, DYNAMIC, COPY] }),
  translation('dw.check_sales()', { outcome: 'checks' }),
  translation('dw.nightly()', { outcome: 'calls' }),
  translation('dw.note()', { outcome: 'nothing' }),
  translation('dw.any_table(text)', { outcome: 'refused', refusals: [DYNAMIC] }),
];

test('an assessment counts what is automatic and what stands in the way', () => {
  const { procedures, ...sums } = assess(TRANSLATIONS, 0.12345);
  expect(sums).toEqual({
    sprocket: 1,
    seconds: 0.123,
    counts: { procedures: 6, automatic: 4, refused: 2, models: 2 },
    refusals: [
      { code: 'dynamic-sql', procedures: 2, places: 2, advice: DYNAMIC.advice },
      { code: 'copy', procedures: 1, places: 2, advice: COPY.advice },
    ],
  });
  expect(procedures[0]).toEqual({
    name: 'dw.load_sales(date)',
    outcome: 'models',
    models: ['dw.sales', 'dw.sales_by_day'],
    reasons: [],
  });
  expect(procedures[1]?.reasons[0]).toEqual(COPY);
});

test('as a table, with reasons beneath and sums at the end', () => {
  const lines = assessLines(assess(TRANSLATIONS, 0.12), Number.POSITIVE_INFINITY);
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    ✓ dw.load_sales(date)  2 models: dw.sales, dw.sales_by_day
    ✓ dw.check_sales()     only checks: dbt tests
    ✓ dw.nightly()         only calls others
    ✓ dw.note()            leaves nothing behind
    ✗ dw.export_all()      by hand
        line 12: COPY writes a file. [copy]
        line 3: The text is built from rows. [dynamic-sql]
        line 12: COPY writes a file. [copy]
    ✗ dw.any_table(text)   by hand
        line 3: The text is built from rows. [dynamic-sql]

    4 of 6 procedures (66 %) can be migrated by a machine, giving 2 models. Assessed in 0.1s; nothing is proven yet.

    What stands in the way of the others:
      2  dynamic-sql  Write the statement without EXECUTE, or make its text constant.
      1  copy         Load the file with a pipeline or a seed before the run; dbt does not read or write files.
    "
  `);
});

test('80 columns', () => {
  const lines = assessLines(assess(TRANSLATIONS, 0.12), 80);
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    ✓ dw.load_sales(date)  2 models: dw.sales, dw.sales_by_day
    ✓ dw.check_sales()     only checks: dbt tests
    ✓ dw.nightly()         only calls others
    ✓ dw.note()            leaves nothing behind
    ✗ dw.export_all()      by hand
        line 12: COPY writes a file. [copy]
        line 3: The text is built from rows. [dynamic-sql]
        line 12: COPY writes a file. [copy]
    ✗ dw.any_table(text)   by hand
        line 3: The text is built from rows. [dynamic-sql]

    4 of 6 procedures (66 %) can be migrated by a machine, giving 2 models. Assessed
    in 0.1s; nothing is proven yet.

    What stands in the way of the others:
      2  dynamic-sql  Write the statement without EXECUTE, or make its text
                      constant.
      1  copy         Load the file with a pipeline or a seed before the run; dbt
                      does not read or write files.
    "
  `);
});

test('no line is wider than the terminal', () => {
  for (const columns of [40, 60, 80]) {
    const lines = assessLines(assess(TRANSLATIONS, 0.12), columns);
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
  }
});

test('a database without procedures is said to be that', () => {
  expect(assessLines(assess([], 0), 80)).toEqual([
    '0 of 0 procedures (0 %) can be migrated by a machine, giving 0 models. Assessed',
    'in 0s; nothing is proven yet.',
  ]);
});

test('thousands of procedures are assessed whole', () => {
  const many = Array.from({ length: 5000 }, (_, i) => ({
    ...(TRANSLATIONS[i % TRANSLATIONS.length] ?? translation('')),
    routine: `dw.p${i}()`,
  }));
  const assessment = assess(many, 1);
  expect(assessment.counts.procedures).toBe(5000);
  expect(assessLines(assessment, 80).filter((line) => /^[✓✗]/u.test(line))).toHaveLength(5000);
});
