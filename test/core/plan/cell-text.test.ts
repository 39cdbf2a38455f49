import { toString } from 'mdast-util-to-string';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellText } from '../../../src/core/plan/cell-text.ts';
import { tablesOf } from './markdown-oracle.ts';

test.each([
  ['dw.load_dim_customer()', 'dw.load_dim_customer()'],
  ['`dw.load()`', 'dw.load()'],
  ['` a `', 'a'],
  ['**yes**', 'yes'],
  ['*`dw.load()`*', 'dw.load()'],
  ['yes <!-- because -->', 'yes'],
  ['a<br>b<br/>c', 'a\nb\nc'],
  ['a \\| b', 'a | b'],
  ['`a \\| b`', 'a | b'],
  ['dw.\\_private\\_()', 'dw._private_()'],
  ['dw._private_()', 'dw._private_()'],
  ['dw.load*tmp*()', 'dw.load*tmp*()'],
  ['`my db`.`my proc`()', '`my db`.`my proc`()'],
  ['`a \\| b`.`c`()', '`a | b`.`c`()'],
  ['a &amp; b', 'a & b'],
  ['\\`x\\` \\| \\_', '`x` | _'],
  ['\\|_a_', '|_a_'],
  ['[dw.load()](sql/load.sql)', 'dw.load()'],
  ['<https://example.com/>', 'https://example.com/'],
  ['[dbo].[load]', '[dbo].[load]'],
  ['numeric(10,2)[]', 'numeric(10,2)[]'],
  ['C:\\dir', 'C:\\dir'],
  ['', ''],
])('%j reads %j', (markdown, expected) => {
  expect(cellText(markdown)).toBe(expected);
});

test('the short ways say what the Markdown parser says', () => {
  const piece = fc.constantFrom(
    '\\',
    '`',
    '*',
    '_',
    '<',
    '&',
    '[',
    ']',
    '!',
    '~',
    '.',
    'a',
    'é',
    ' ',
    '-',
    '#',
  );
  const markdown = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('').trim());
  fc.assert(
    fc.property(markdown, (cell) => {
      const text = `| a |\n|---|\n| ${cell} |\n`;
      const node = tablesOf(text)[0]?.children[1]?.children[0];
      fc.pre(node !== undefined && node.children.every((child) => child.type === 'text'));
      expect(cellText(cell)).toBe(node === undefined ? '' : toString(node));
    }),
    { numRuns: 3000 },
  );
});
