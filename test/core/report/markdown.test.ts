import type { Nodes } from 'mdast';
import { toString } from 'mdast-util-to-string';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  markdownCode,
  markdownFence,
  markdownFoldedLog,
  markdownHead,
  markdownRow,
  markdownText,
} from '../../../src/core/report/markdown.ts';
import { oneLine } from '../../../src/core/report/text.ts';
import { parseMarkdown } from '../plan/markdown-oracle.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc
    .array(
      fc.constantFrom(
        ...'\\`*_{}[]<>&|~$@#:/!-+.()"\'',
        'a',
        '1',
        ' ',
        '\n',
        'www.',
        'https://',
        '</pre>',
        '<!--',
        '-->',
        '&amp;',
        '\u202E',
      ),
      { maxLength: 20 },
    )
    .map((pieces) => pieces.join('')),
);

function types(node: Nodes): string[] {
  return [node.type, ...('children' in node ? node.children.flatMap(types) : [])];
}

/** The cell that a text becomes: kinds of nodes in it and the text that a reader sees. */
function cell(markdown: string): { nodes: string[]; html: string[]; text: string } {
  const table = parseMarkdown(`${markdownHead(['a', 'b'])}\n${markdownRow([`x ${markdown}`, 'y'])}`)
    .children[0];
  const row = table?.type === 'table' ? table.children[1] : undefined;
  expect(row?.children).toHaveLength(2);
  const node = row?.children[0];
  if (node === undefined) throw new Error('no cell');
  const html = node.children.flatMap((child) => (child.type === 'html' ? [child.value] : []));
  const text = toString(node, { includeHtml: false }).replaceAll('\u200B', '').slice(1);
  return { nodes: types(node), html, text };
}

test('no text becomes markup, and all of it is seen', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const { nodes, text: seen } = cell(markdownText(text));
      expect(nodes).toEqual(['tableCell', 'text']);
      expect(seen.trim()).toBe(oneLine(text).replaceAll('\u200B', ''));
    }),
    { numRuns: 2000 },
  );
});

test('no name leaves its code', () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const { nodes, html, text } = cell(markdownCode(name));
      expect(new Set(nodes)).toEqual(
        new Set(nodes.filter((node) => /^(?:tableCell|text|inlineCode|html)$/u.test(node))),
      );
      expect(html.filter((tag) => !/^<\/?code>$/u.test(tag))).toEqual([]);
      expect(text.trim()).toBe(oneLine(name).replaceAll('\u200B', ''));
    }),
    { numRuns: 2000 },
  );
});

test('no log leaves its fold', () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 4 }), (lines) => {
      const { nodes, html } = cell(markdownFoldedLog(lines, 'log'));
      expect(nodes.filter((node) => !['tableCell', 'text', 'html'].includes(node))).toEqual([]);
      expect(html.filter((tag) => tag !== '<br>')).toEqual([
        '<details>',
        '<summary>',
        '</summary>',
        '<pre>',
        '</pre>',
        '</details>',
      ]);
    }),
    { numRuns: 1000 },
  );
});

test('no text leaves its fence', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('```', '````', '\n', 'a', '~~~', ' '), { maxLength: 12 }),
      (pieces) => {
        const root = parseMarkdown(markdownFence(pieces.join('')));
        expect(root.children.map((node) => node.type)).toEqual(['code']);
      },
    ),
  );
});

test.each([
  [
    'ask @octocat about acme/x#12, #3 and GH-4',
    'ask @&#8203;octocat about acme/x#&#8203;12, #&#8203;3 and GH-&#8203;4',
  ],
  [
    'see https://example.com or www.example.com',
    'see https:&#47;/example.com or www&#46;example.com',
  ],
  ['a_b _c_ $x$', 'a_b &#95;c&#95; &#36;x&#36;'],
])('%j is written as %j', (text, expected) => {
  expect(markdownText(text)).toBe(expected);
});

test('names are plain code where they can be', () => {
  expect(markdownCode('dw.load("x", text[])')).toBe('`dw.load("x", text[])`');
  expect(markdownCode('a|b')).toBe('<code>a&#124;b</code>');
  expect(markdownCode('')).toBe('');
});
