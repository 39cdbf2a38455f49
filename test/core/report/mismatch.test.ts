import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RowDifference } from '../../../src/core/proof/types.ts';
import { mismatchLines } from '../../../src/core/report/mismatch.ts';
import { width } from '../../../src/core/report/text.ts';

const table = { schema: 'dw', name: 'dim_customer' };
const OPTIONS = { rows: 10, columns: 80 };

function difference(
  procedure: RowDifference['procedure'],
  model: RowDifference['model'],
  round = 'changed input',
): RowDifference {
  return { table, round, procedure, model };
}

function picture(differences: readonly RowDifference[], options = OPTIONS): string {
  return `\n${mismatchLines(differences, options).join('\n')}\n`;
}

test('rows differ column by column', () => {
  const differences = [
    difference(
      { customer_id: '7', segment: 'gold', note: null, city: 'Köln', name: '日本' },
      { customer_id: '7', segment: 'silver', note: 'NULL', city: 'Köln ', name: '日本' },
    ),
    difference({ customer_id: '8', segment: 'gold' }, null),
    difference(null, { customer_id: '9', segment: 'a\tb\u202E' }, 'first run'),
  ];
  expect(picture(differences)).toMatchInlineSnapshot(`
    "
    dw.dim_customer, round "changed input": 2 rows differ
      row 1
        column       procedure  model
        customer_id  7          7
      * segment      gold       silver
      * note         NULL       'NULL'
      * city         Köln       'Köln '
        name         日本       日本
      row 2: only the procedure gives it
        customer_id  8
        segment      gold

    dw.dim_customer, round "first run": 1 row differs
      row 1: only the model gives it
        customer_id  9
        segment      'a\\tb\\u{202E}'
    "
  `);
});

test('the first difference of long values stays in sight', () => {
  const long = 'x'.repeat(200);
  expect(
    picture([difference({ a: `${long}1${long}`, b: long }, { a: `${long}2${long}`, b: long })], {
      rows: 1,
      columns: 60,
    }),
  ).toMatchInlineSnapshot(`
    "
    dw.dim_customer, round "changed input": 1 row differs
      row 1
        column  procedure                model
      * a       …xxxxxxx1xxxxxxxxxxxxx…  …xxxxxxx2xxxxxxxxxxxxx…
        b       xxxxxxxxxxxxxxxxxxxxxx…  xxxxxxxxxxxxxxxxxxxxxx…
    "
  `);
});

test('rows behind the limit are counted', () => {
  const differences = Array.from({ length: 12 }, (_, i) => difference({ id: String(i) }, null));
  const lines = mismatchLines(differences, { rows: 2, columns: 80 });
  expect(lines[0]).toBe('dw.dim_customer, round "changed input": 12 rows differ');
  expect(lines.at(-1)).toBe('  … and 10 more');
  expect(lines.filter((line) => line.startsWith('  row'))).toHaveLength(2);
});

test('no line is wider than asked, and values that differ look different', () => {
  const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 80 }));
  fc.assert(
    fc.property(text, text, fc.integer({ min: 40, max: 160 }), (left, right, columns) => {
      const lines = mismatchLines([difference({ id: '1', a: left }, { id: '1', a: right })], {
        rows: 1,
        columns,
      });
      for (const line of lines) {
        expect(width(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/\p{Cc}/u);
      }
      expect(lines.at(-1)?.startsWith('  *')).toBe(left !== right);
    }),
  );
});
