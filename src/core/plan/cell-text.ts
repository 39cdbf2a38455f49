/** What a table cell says to a reader of the rendered page, and how to write text so that it says just that. */
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { toString } from 'mdast-util-to-string';
import { gfmTable } from 'micromark-extension-gfm-table';
import type { PhrasingContent } from 'mdast';

const BEFORE = '| a |\n|---|\n| ';
/** Nothing that Markdown reads as anything but text; `_` only between letters and digits. */
const PLAIN = /^(?:[^\\`*_<&[\]!~|]|(?<=[\p{L}\p{N}])_+(?=[\p{L}\p{N}]))*$/u;
/** A dot takes its place where the rest is looked at: no letter, so that `_` beside it is not plain. */
const ESCAPE = /\\([!-/:-@[-`{-~])/gu;
const CODE = /^`([^`|\\]*[^`|\\ ][^`|\\]*)`$/u;

/**
 * Reads the Markdown of one cell (between its pipes, without padding). Emphasis, code and links
 * around the whole cell are taken off; within it, code and emphasis stay as typed, so that
 * `"a*b".c*d()` is not read as a name without its asterisks. Comments vanish, `<br>` becomes a
 * line feed.
 */
export function cellText(markdown: string): string {
  if (PLAIN.test(markdown)) return markdown;
  if (PLAIN.test(markdown.replaceAll(ESCAPE, '.'))) return markdown.replaceAll(ESCAPE, '$1');
  const code = CODE.exec(markdown)?.[1];
  if (code !== undefined) return withoutCodePadding(code);
  const source = `${BEFORE}${markdown} |`;
  const table = fromMarkdown(source, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  }).children[0];
  const cell = table?.type === 'table' ? table.children[1]?.children[0] : undefined;
  return cell === undefined ? markdown : phrasing(cell.children, source).trim();
}

function phrasing(nodes: readonly PhrasingContent[], source: string): string {
  const only = nodes.length === 1 ? nodes[0] : undefined;
  if (only?.type === 'inlineCode') return only.value;
  if (only?.type === 'emphasis' || only?.type === 'strong') return phrasing(only.children, source);
  return nodes.map((node) => nodeText(node, source)).join('');
}

function nodeText(node: PhrasingContent, source: string): string {
  switch (node.type) {
    case 'text':
      return node.value;
    case 'html':
      if (/^<br\s*\/?>$/iu.test(node.value)) return '\n';
      return node.value.startsWith('<!--') ? '' : node.value;
    case 'link':
    case 'image':
      return toString(node);
    default:
      return asTyped(node, source);
  }
}

function asTyped(node: PhrasingContent, source: string): string {
  const start = node.position?.start.offset ?? 0;
  const end = node.position?.end.offset ?? start;
  return source.slice(start, end).replaceAll('\\|', '|');
}

function withoutCodePadding(code: string): string {
  return code.startsWith(' ') && code.endsWith(' ') ? code.slice(1, -1) : code;
}
