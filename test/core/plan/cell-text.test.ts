import { expect, test } from 'vitest';
import { cellText } from '../../../src/core/plan/cell-text.ts';

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
  ['[dw.load()](sql/load.sql)', 'dw.load()'],
  ['<https://example.com/>', 'https://example.com/'],
  ['[dbo].[load]', '[dbo].[load]'],
  ['numeric(10,2)[]', 'numeric(10,2)[]'],
  ['C:\\dir', 'C:\\dir'],
  ['', ''],
])('%j reads %j', (markdown, expected) => {
  expect(cellText(markdown)).toBe(expected);
});
