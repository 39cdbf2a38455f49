import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseArguments } from '../../../src/core/plan/arguments.ts';

function pairs(text: string) {
  const { values, problems } = parseArguments(text);
  expect(problems).toEqual([]);
  return values.map(({ parameter, sql }) => [parameter, sql]);
}

test.each([
  ['', []],
  ['1', [[null, '1']]],
  [
    "1, 'a, b', array[1, 2], f(1, 2)",
    [
      [null, '1'],
      [null, "'a, b'"],
      [null, 'array[1, 2]'],
      [null, 'f(1, 2)'],
    ],
  ],
  [
    "p_day => date '2024-01-31', p_full=>true",
    [
      ['p_day', "date '2024-01-31'"],
      ['p_full', 'true'],
    ],
  ],
  [
    'p_a := 1, p_b = 2',
    [
      ['p_a', '1'],
      ['p_b', '2'],
    ],
  ],
  ['"P ""x""" => 1', [['P "x"', '1']]],
  [
    "p => 'it''s, ok', q => E'a\\', b'",
    [
      ['p', "'it''s, ok'"],
      ['q', "E'a\\', b'"],
    ],
  ],
  [
    "p => 'back\\', q => 1",
    [
      ['p', "'back\\'"],
      ['q', '1'],
    ],
  ],
  [
    'p => $$a, b$$, q => $x$ , $$ , $x$',
    [
      ['p', '$$a, b$$'],
      ['q', '$x$ , $$ , $x$'],
    ],
  ],
  [
    '1, p => 2',
    [
      [null, '1'],
      ['p', '2'],
    ],
  ],
])('%j gives the values', (text, expected) => {
  expect(pairs(text)).toEqual(expected);
});

test.each([
  ["p => 'open", `"p => 'open" has a quote or parenthesis without its partner. Close it.`],
  ['f(1', '"f(1" has a quote or parenthesis without its partner. Close it.'],
  ['p => 1)', '"p => 1)" has a quote or parenthesis without its partner. Close it.'],
  [
    'p => 2024-01-31',
    `"2024-01-31" as the value of "p" is a subtraction in SQL. Write date '2024-01-31'.`,
  ],
  ['p =>', 'The value of "p" is missing. Write an SQL expression, as in p_day => current_date.'],
  [
    'p => 1, 2',
    `"2" stands behind a value with a name. Write the name of its parameter too: name => value.`,
  ],
  [
    'p => 1; drop table x',
    '"p => 1; drop table x" holds a semicolon or a comment. Write one SQL expression, and put texts in quotes.',
  ],
  [
    'p => 1 -- one',
    '"p => 1 -- one" holds a semicolon or a comment. Write one SQL expression, and put texts in quotes.',
  ],
  ['1,, 2', 'A value is missing. Write an SQL expression, as in p_day => current_date.'],
  ['p => 1, p => 2', '"p" has two values. Delete one of them.'],
])('%j is refused', (text, message) => {
  expect(parseArguments(text).problems.map((problem) => problem.message)).toEqual([message]);
});

test('no text makes the parser throw or lose characters', () => {
  const piece = fc.constantFrom("'", '"', '$$', '(', ')', ',', 'p', '=>', ' ', 'E', '\\');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      const text = pieces.join('');
      const { values, problems } = parseArguments(text);
      if (problems.length > 0) return;
      const letters = (of: string) => of.replaceAll(/[^pE]/gu, '').length;
      const kept = values.map(({ parameter, sql }) => `${parameter ?? ''}${sql}`).join('');
      expect(letters(kept)).toBe(letters(text));
    }),
    { numRuns: 2000 },
  );
});
