import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { setStatus } from '../../../src/core/plan/edit.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { problemsOf as problems } from './problems-of.ts';
import { FRONT_MATTER, SAMPLE } from './sample.ts';

const HEADER = '| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |';
const DASHES = '|---|---|---|---|---|---|---|';

test('a plan is read whole', () => {
  const { plan, problems: found } = parsePlan(SAMPLE);
  expect(found).toEqual([]);
  expect(plan?.settings).toEqual({
    name: 'sales-warehouse',
    source: { dialect: 'postgres', urlVariable: 'SOURCE_DATABASE_URL' },
    target: { dialect: 'postgres', urlVariable: 'TARGET_DATABASE_URL', metadataSchema: 'wirekite' },
    sandbox: { urlVariable: 'SANDBOX_DATABASE_URL' },
    production: {
      repository: 'acme/analytics',
      base: 'main',
      project: 'transform',
      reviewers: [],
      labels: [],
    },
    workers: 4,
    proof: { maxRows: 100_000, rows: 'target', parameters: {} },
    zeroDates: 'error',
    dataTables: [],
  });
  expect(plan?.pipelines).toEqual([
    {
      id: 'sales.orders',
      include: true,
      source: { schema: 'sales', name: 'orders' },
      target: { schema: 'raw', name: 'orders' },
      key: ['id'],
      mode: 'load + changes',
      status: { status: 'Pending', detail: null },
      position: { line: 21, column: 1 },
    },
    {
      id: 'sales.lines',
      include: false,
      source: { schema: 'sales', name: 'lines' },
      target: { schema: 'raw', name: 'lines' },
      key: ['order_id', 'line no'],
      mode: 'load',
      status: { status: 'Pending', detail: null },
      position: { line: 22, column: 1 },
    },
  ]);
  expect(plan?.procedures.map(({ id, include }) => [id, include])).toEqual([
    ['dw.load_dim_customer()', true],
    ['dw.load_fact_sales(date, boolean)', true],
    ['dw.Odd | name()', false],
  ]);
  expect(plan?.procedures[1]).toEqual({
    id: 'dw.load_fact_sales(date, boolean)',
    include: true,
    name: { schema: 'dw', name: 'load_fact_sales' },
    argumentTypes: ['date', 'boolean'],
    arguments: [{ parameter: 'p_day', sql: "date '2024-01-31'" }],
    writes: [
      { schema: 'dw', name: 'fact_sales' },
      { schema: 'dw', name: 'agg' },
    ],
    dependsOn: {
      procedures: ['dw.load_dim_customer()'],
      tables: [{ schema: 'raw', name: 'orders' }],
    },
    rating: 'Possible',
    ratingReasons: 'reads its own table',
    dataTables: [],
    status: { status: 'Blocked', detail: 'waits for dw.load_dim_customer()' },
    position: { line: 28, column: 1 },
  });
});

test('line endings, a byte order mark and a missing last newline change nothing', () => {
  const { plan } = parsePlan(SAMPLE);
  for (const text of [
    SAMPLE.replaceAll('\n', '\r\n'),
    `\uFEFF${SAMPLE}`,
    SAMPLE.trimEnd(),
    SAMPLE.replaceAll(/^\| (.*) \|$/gmu, '$1'),
  ]) {
    expect(parsePlan(text).plan).toEqual(plan);
  }
});

test('settings of single procedures join their rows', () => {
  const text = SAMPLE.replace(
    'workers: 4',
    [
      'workers: 2',
      'data_tables: [dw.audit]',
      'proof: { max_rows: 5, parameters: { p_code: 00123, p_rate: 1.10, p_none: null, p_on: true } }',
      'procedures:',
      '  dw.load_fact_sales(date, bool):',
      "    parameters: { p_full: 'true' }",
      '    data_tables: [dw.load_log]',
    ].join('\n'),
  );
  const { plan, problems: found } = parsePlan(text);
  expect(found).toEqual([]);
  expect(plan?.settings.dataTables).toEqual([{ schema: 'dw', name: 'audit' }]);
  expect(plan?.settings.proof).toEqual({
    maxRows: 5,
    rows: 'target',
    parameters: { p_code: '00123', p_rate: '1.10', p_none: 'NULL', p_on: 'true' },
  });
  expect(plan?.procedures[1]?.dataTables).toEqual([{ schema: 'dw', name: 'load_log' }]);
  expect(plan?.procedures[1]?.arguments).toEqual([
    { parameter: 'p_day', sql: "date '2024-01-31'" },
    { parameter: 'p_full', sql: 'true' },
  ]);
});

test('all problems of a plan come at once, in the order of the text', () => {
  const text = [
    '---',
    'sprocket: 2',
    'name: Sales Warehouse',
    'source: { dialect: postgress, url: postgres://me:hunter2@db.example.com/x }',
    'target: { dialect: postgres, url: "" }',
    'worker: 4',
    '---',
    '## Procedures',
    '| Include | Procedure | Rating | Status |',
    '|---|---|---|---|',
    '| maybe | dw.load_a() | Likly | Pending |',
    '| yes | dw.load_a() | Likely | Done |',
    '| yes | load b | Likely | Pending |',
    '| yes | dw.load_c() |',
  ].join('\n');
  expect(problems(text)).toEqual([
    '2:11 setting-invalid The setting sprocket does not fit. Write sprocket: 1, the version of this format.',
    '3:7 setting-invalid The setting name can not be "Sales Warehouse". Write 1 to 63 lower case letters, digits, - and _, a letter or digit at both ends, for example sales-warehouse.',
    '4:20 setting-invalid The setting source.dialect can not be "postgress". Write postgres or mysql (mysql also stands for MariaDB).',
    '4:36 url-instead-of-name The setting source.url holds a URL, which everybody who can read this file would see: if it was ever pushed, change the password. Write the NAME of the environment variable that holds the URL, for example SOURCE_DATABASE_URL.',
    '5:35 setting-missing The setting target.url is missing. Write the NAME of the environment variable that holds the URL, for example TARGET_DATABASE_URL.',
    '6:1 setting-unknown There is no setting "worker". Did you mean workers?',
    '11:3 include-invalid Include can not be "maybe". Write yes or no.',
    '11:25 rating-invalid Rating can not be "Likly". Write Likely, Possible, Unlikely or Manual.',
    '12:9 procedure-duplicate "dw.load_a()" is on line 11 already. Delete one of the two rows.',
    '12:32 status-invalid Status can not be "Done". Write Pending, Blocked, Running, Failed, Completed, Completed (manual), Completed (accepted) or Skipped.',
    '13:9 name-invalid "load b" is no name of a procedure. Write schema.name(argument types).',
    '14:1 row-malformed This row has 2 cells and the header 4. Write every cell, empty ones too; text behind the table needs a blank line before it.',
  ]);
});

test('a plan of ten thousand procedures is read', () => {
  const rows = Array.from(
    { length: 10_000 },
    (_, i) =>
      `| yes | dw.load_${i}(integer) | p => ${i} | dw.t_${i} | | Likely: TRUNCATE + INSERT | Pending |`,
  );
  const { plan } = parsePlan(
    [FRONT_MATTER, '## Procedures', HEADER, DASHES, ...rows, ''].join('\n'),
  );
  expect(plan?.procedures).toHaveLength(10_000);
  expect(plan?.procedures.at(-1)).toMatchObject({
    id: 'dw.load_9999(integer)',
    arguments: [{ parameter: 'p', sql: '9999' }],
  });
});

test.each([
  ['x'.repeat(8_000_001), 'A plan has at most 8 million characters. Split it into several plans.'],
  [
    `${SAMPLE}${'prose\n'.repeat(200_000)}`,
    'A plan has at most 1 million characters outside tables whose rows start with a pipe. Shorten the text.',
  ],
  [
    `${SAMPLE}${'1. '.repeat(50)}x\n`,
    'A line nests 50 quotes or lists. Write it with less of them.',
  ],
])('a text that costs too much is refused before it is read', (text, message) => {
  expect(problems(text)).toEqual([`1:1 too-large ${message}`]);
});

test('any text is read without an error of its own', () => {
  const piece = fc.constantFrom(
    '---\n',
    'name: p\n',
    'source: {',
    '}',
    '[',
    '"',
    "'",
    ': ',
    '&a ',
    '*a',
    '!t ',
    '%',
    '\t',
    '\n',
    '- ',
    '## Procedures\n',
    '| Include | Procedure | Status |\n',
    '|---|---|---|\n',
    '| yes | dw.a() | x |\n',
    '|',
    '`',
    '\\',
    '<!--',
    '-->',
    '\0',
    '\uFEFF',
    '\r',
    '\u2028',
    'é',
    '😀',
    '\uD800',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      for (const text of [
        pieces.join(''),
        `${FRONT_MATTER}${pieces.join('')}`,
        `---\n${pieces.join('')}\n---\n`,
      ]) {
        const lines = text.split(/\r\n|\n|\r/u);
        for (const { line, column, message } of parsePlan(text).problems) {
          expect(message).not.toBe('');
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column - 1).toBeLessThanOrEqual(lines[line - 1]?.length ?? -1);
        }
        expect(setStatus(text, []).text).toBe(text);
      }
    }),
    { numRuns: 1000 },
  );
});
