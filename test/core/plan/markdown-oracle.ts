/** GFM tables as the Markdown parser itself sees them: what the fast reader must agree with. */
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import type { Root, Table } from 'mdast';

export function parseMarkdown(text: string): Root {
  return fromMarkdown(text, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  });
}

export function tablesOf(text: string): Table[] {
  return parseMarkdown(text).children.filter((node) => node.type === 'table');
}

/** Texts of a row's cells without padding, as they stand in the source. */
export function cellSources(text: string, row: Table['children'][number]): string[] {
  return row.children.map((cell) => {
    const [first, last] = [cell.children[0], cell.children.at(-1)];
    return text.slice(first?.position?.start.offset ?? 0, last?.position?.end.offset ?? 0);
  });
}
