import { expect, test } from 'vitest';
import { problemsOf as problems } from './problems-of.ts';
import { FRONT_MATTER, PROCEDURES_TABLE, SAMPLE } from './sample.ts';

/** Lines count from the heading Procedures. */
function procedures(...lines: string[]): string[] {
  return problems([FRONT_MATTER, '## Procedures', ...lines, ''].join('\n')).map((problem) =>
    problem.replace(/^\d+/u, (line) => String(Number(line) - 8)),
  );
}

const HEADER = '| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |';
const DASHES = '|---|---|---|---|---|---|---|';

test('a plan without the heading Procedures says so', () => {
  expect(problems(`${FRONT_MATTER}# Plan\n`)).toEqual([
    '8:1 section-missing The plan has no heading Procedures. Write ## Procedures and its table beneath; "sprocket plan" drafts both.',
  ]);
});

test.each([
  [
    [],
    '0:1 table-missing There is no table beneath Procedures. Write the header | Include | Procedure | Status | Arguments | Writes | Depends on | Rating |, a line of dashes |---|---|---|---|---|---|---| and a row for each.',
  ],
  [
    ['| Include | Procedure | Status |', '| yes | dw.a() | Pending |'],
    '1:1 table-malformed This is not a table: its header lacks the line of dashes. Write |---|---|---| beneath it, without a blank line.',
  ],
  [
    ['| Include | Procedure | Status |', '|---|---|', '| yes | dw.a() | Pending |'],
    '1:1 table-malformed The header has 3 cells and the line of dashes 2. Write |---|---|---|.',
  ],
  [
    ['| Include | Routine | Status |', '|---|---|---|'],
    '1:1 column-missing The table Procedures has no column Procedure. Add it, with a cell in every row.',
  ],
  [
    ['| Include | Procedure | Status | status |', '|---|---|---|---|'],
    '1:1 column-duplicate The table Procedures has two columns Status. Delete or rename one of them.',
  ],
  [
    ['| Include | Procedure | Status |', '|---|---|---|', '', '| yes | dw.a() | Pending |'],
    '4:1 row-malformed This row is not part of the table of line 9. Delete what separates them, such as a blank line.',
  ],
  [
    ['| Include | Procedure | Status |', '|---|---|---|', '| yes | dw.a() | x | Pending |'],
    '3:1 row-malformed This row has 4 cells and the header 3. Write a pipe inside a cell as \\|.',
  ],
  [
    ['| Include | Procedure | Status |', '|---|---|---|', 'Some text'],
    '3:1 row-malformed This row has 1 cell and the header 3. Write every cell, empty ones too; text behind the table needs a blank line before it.',
  ],
  [
    ['| Include | Procedure | Status |', '|---|---|---|', '', '# Procedures', ''],
    '4:1 section-duplicate There is a heading Procedures on line 8 already. Put all rows into one table beneath it.',
  ],
])('%j is a malformed table', (lines, expected) => {
  expect(procedures(...lines)).toEqual([expected]);
});

test.each([
  [
    '| yes | dw.b() | | | dw.lod_a() | | |',
    '4:22 procedure-unknown "dw.lod_a()" is not in the table Procedures. Did you mean dw.load_a(integer)?',
  ],
  [
    '| yes | dw.b() | | | dw.load_a | | |',
    '4:22 procedure-unknown "dw.load_a" is a procedure of this plan. Write dw.load_a(integer).',
  ],
  [
    '| yes | dw.b() | | a b | | | |',
    '4:20 name-invalid "a b" is no name of a table. Write schema.table.',
  ],
  [
    "| yes | dw.b() | p => 'x | | | | |",
    `4:18 argument-invalid "p => 'x" has a quote or parenthesis without its partner. Close it.`,
  ],
  ['| | dw.b() | | | | | |', '4:3 include-invalid Include is empty. Write yes or no.'],
  [
    `| yes | dw.${'x'.repeat(64)}() | | | | | |`,
    `4:9 name-too-long The name "${'x'.repeat(59)}…" is longer than 63 bytes, so that no database holds it. Write the name as it is stored.`,
  ],
])('%j is refused', (row, expected) => {
  const first = '| yes | dw.load_a(int) | | | | | Pending |';
  expect(procedures(HEADER, DASHES, first, row)).toEqual([expected]);
});

test('a value that stands both in the table and in the front matter is refused', () => {
  const text = SAMPLE.replace(
    'workers: 4',
    "procedures: { 'dw.load_fact_sales(date, boolean)': { parameters: { p_day: current_date } } }",
  );
  expect(problems(text)).toEqual([
    '28:45 argument-invalid The parameter "p_day" has a value in the front matter too. Delete one of them.',
  ]);
});

test('pipelines may not share a source or a target, or load a table into itself', () => {
  const text = [
    FRONT_MATTER.replace('TARGET_DATABASE_URL', 'SOURCE_DATABASE_URL'),
    '## Pipelines',
    'Include | Source | Target | Key | Mode | Status',
    '--|--|--|--|--|--',
    'yes | s.a | t.a | | | Pending',
    'yes | s.b | t.a | x y | | Pending',
    'yes | s.a | t.c | | once | Pending',
    'yes | s.d | s.d | | Load+Changes | Pending',
    '',
    PROCEDURES_TABLE,
  ].join('\n');
  expect(problems(text)).toEqual([
    '12:13 pipeline-duplicate "t.a" is the target of the pipeline on line 11 already. Delete one of them.',
    '12:19 name-invalid "x y" is no name of a column. Write the columns of the key separated by commas, with double quotes around a name that holds more than letters, digits, _ and $.',
    '13:7 pipeline-duplicate "s.a" is the source of the pipeline on line 11 already. Delete one of them.',
    '13:21 mode-invalid Mode can not be "once". Write load or load + changes.',
    '14:13 pipeline-onto-itself Source and target are one database, so "s.d" would be loaded into itself. Write another target, or delete the row: a table that is there needs no pipeline.',
  ]);
});
