import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitLines } from '../../../src/core/plan/lines.ts';
import { scanRow } from '../../../src/core/plan/table.ts';
import { cellSources, tablesOf } from './markdown-oracle.ts';

function cells(line: string): string[] {
  const row = scanRow(line, { start: 0, end: line.length }, 1);
  return row.cells.map((cell) => line.slice(cell.inner.start, cell.inner.end));
}

test.each([
  ['| a | b |', ['a', 'b']],
  ['a | b', ['a', 'b']],
  ['  |a|b|  ', ['a', 'b']],
  ['| a | |', ['a', '']],
  ['| a ||', ['a', '']],
  ['| a \\| b | c', ['a \\| b', 'c']],
  ['| `a \\| b` | c |', ['`a \\| b`', 'c']],
  ['| a \\\\| b |', ['a \\\\', 'b']],
  ['|\ta\t|', ['a']],
  ['|', ['']],
  ['||', ['']],
  ['a|', ['a']],
])('%j has the cells %j', (line, expected) => {
  expect(cells(line)).toEqual(expected);
});

test('a row says whether it ends in a pipe', () => {
  const closed = (line: string) => scanRow(line, { start: 0, end: line.length }, 1).closed;
  expect([closed('| a |'), closed('| a | '), closed('a | b'), closed('| a \\|')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('any row has the cells that the Markdown parser sees', () => {
  const piece = fc.constantFrom(
    '|',
    '|',
    ' ',
    '\t',
    'a',
    'é',
    '\\',
    '`',
    '*',
    '_',
    '😀',
    '<!--',
    '-->',
  );
  const row = fc.array(piece, { minLength: 1, maxLength: 24 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(row, (line) => {
      const text = `| a | b |\n|---|---|\n| x | y |\n${line}\n`;
      const parsed = tablesOf(text)[0]?.children[2];
      fc.pre(parsed !== undefined && parsed.position?.start.line === 4);
      const at = splitLines(text)[3] ?? { start: 0, end: 0 };
      const scanned = scanRow(text, at, 4).cells.map((cell) =>
        text.slice(cell.inner.start, cell.inner.end),
      );
      expect(scanned).toEqual(cellSources(text, parsed));
    }),
    { numRuns: 2000 },
  );
});
