import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSections } from '../../../src/core/plan/document.ts';
import { splitLines } from '../../../src/core/plan/lines.ts';
import { parseMarkdown } from './markdown-oracle.ts';

function sections(text: string) {
  return readSections(text, splitLines(text), 0);
}

test('a section holds what stands beneath its heading, deeper headings included', () => {
  const text =
    '# Plan\n\n## A\n\n| a |\n|---|\n| 1 |\n\n### More\n\nprose\n\n## B\n\n| b |\n|---|\n';
  const found = sections(text);
  expect(found.map((section) => [section.title, section.line])).toEqual([
    ['Plan', 1],
    ['A', 3],
    ['More', 9],
    ['B', 13],
  ]);
  expect(found[1]?.tables.map((table) => table.rows.map((row) => row.line))).toEqual([[7]]);
  expect(found[1]?.prose).toEqual([{ first: 11, last: 11 }]);
  expect(found[3]?.tables.map((table) => table.rows)).toEqual([[]]);
});

test('tables in code, in comments and in quotes are none', () => {
  const table = '| a |\n|---|\n| 1 |';
  const quoted = table.replaceAll(/^/gmu, '> ');
  const text = `# A\n\n\`\`\`\n${table}\n\`\`\`\n\n<!--\n${table}\n-->\n\n${quoted}\n`;
  expect(sections(text)[0]?.tables).toEqual([]);
});

test('a comment that ends inside a row ends there', () => {
  const text = '# A\n<!--\n| a |\n|---|\n| 1 -->\n\n| b |\n|---|\n| 2 |\n';
  expect(sections(text)[0]?.tables.map((table) => table.header.line)).toEqual([7]);
});

test('the tables of any document are those that the Markdown parser sees', () => {
  const line = fc.constantFrom(
    '| a | b |',
    '| a | b |',
    '| --- | --- |',
    '|---|---|',
    '|---|',
    '| a |',
    ' | x',
    '| y --> |',
    '| "z" |',
    '<!X',
    '<?',
    '| ?> |',
    '',
    'text',
    '<!--',
    '-->',
    '```',
    '# A',
    '- item',
    '> quote',
    '[d]: /url "title',
    '    | code |',
    '---',
    '<div>',
    '| > |',
    'a | b',
    '--|--',
    '| `x |',
    '1. | a |',
  );
  const ending = fc.constantFrom('\n', '\r\n', '\r');
  fc.assert(
    fc.property(fc.array(line, { maxLength: 24 }), ending, (body, newline) => {
      const text = ['# Start', '', ...body].join(newline);
      const expected: unknown[] = [];
      for (const node of parseMarkdown(text).children) {
        if (node.type === 'heading') expected.push(`heading ${node.position?.start.line}`);
        if (node.type !== 'table') continue;
        expected.push(...node.children.map((row) => `row ${row.position?.start.line}`));
      }
      const found = sections(text).flatMap((section) => [
        `heading ${section.line}`,
        ...section.tables.flatMap((table) =>
          [table.header, ...table.rows].map((row) => `row ${row.line}`),
        ),
      ]);
      expect(new Set(found)).toEqual(new Set(expected));
    }),
    { numRuns: 2000 },
  );
});
