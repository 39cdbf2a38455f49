/** The Markdown part of a plan: its headings and the tables beneath them. */
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { toString } from 'mdast-util-to-string';
import { gfmTable } from 'micromark-extension-gfm-table';
import type { RootContent } from 'mdast';
import type { TextLine } from './lines.ts';
import { scanRow } from './table.ts';
import type { Row, Table } from './table.ts';

/** A heading and what stands beneath it, up to the next heading of its depth or above. */
export interface Section {
  readonly title: string;
  /** Of the heading, from 1. */
  readonly line: number;
  readonly tables: readonly Table[];
  /** First and last line of paragraphs and lists: where rows that are in no table show up. */
  readonly prose: readonly { readonly first: number; readonly last: number }[];
}

/**
 * Finds the sections of the text's lines from index `firstLine` on. `lines` are those of the whole
 * text; line numbers in the result count from its start.
 */
export function readSections(
  text: string,
  lines: readonly TextLine[],
  firstLine: number,
): readonly Section[] {
  const kept = withoutTableBodies(text, lines, firstLine);
  const source = kept.map((index) => lineText(text, lines[index])).join('\n');
  const root = fromMarkdown(source, {
    extensions: [gfmTable()],
    mdastExtensions: [gfmTableFromMarkdown()],
  });
  const first = (node: RootContent): number => kept[(node.position?.start.line ?? 1) - 1] ?? 0;
  const last = (node: RootContent): number =>
    (kept[node.position?.end.line ?? 0] ?? lines.length) - 1;

  return root.children.flatMap((node, at) => {
    if (node.type !== 'heading') return [];
    const after = root.children.slice(at + 1);
    const end = after.findIndex((next) => next.type === 'heading' && next.depth <= node.depth);
    const content = end < 0 ? after : after.slice(0, end);
    const tables = content
      .filter((child) => child.type === 'table')
      .map((table) => readTable(text, lines, first(table), last(table)));
    const prose = content
      .filter((child) => child.type === 'paragraph' || child.type === 'list')
      .map((child) => ({ first: first(child) + 1, last: last(child) + 1 }));
    return [{ title: toString(node).trim(), line: first(node) + 1, tables, prose }];
  });
}

/**
 * Indexes of the lines that decide the structure of the document. A Markdown parser spends
 * milliseconds and a megabyte on some ten table rows, and a plan may have ten thousand. Behind a
 * header and its delimiter row, a line that starts with a pipe only goes on with what is open there
 * (table, paragraph, code), whatever it is, as long as it can't end an HTML block.
 */
function withoutTableBodies(
  text: string,
  lines: readonly TextLine[],
  firstLine: number,
): readonly number[] {
  const kept: number[] = [];
  const endOfHtml = /^[ \t>]*<![a-z]/imu.test(text) ? />/u : /-->|\?>|\]\]>|<\//u;
  let rowBefore: Row | null = null;
  let insideBody = false;
  for (let index = firstLine; index < lines.length; index += 1) {
    const at = lines[index] ?? { start: 0, end: 0 };
    const line = lineText(text, at);
    if (!/^ {0,3}\|/u.test(line) || endOfHtml.test(line)) {
      kept.push(index);
      rowBefore = null;
      insideBody = false;
    } else if (!insideBody) {
      const row = scanRow(text, at, index + 1);
      kept.push(index);
      insideBody = isDelimiterRow(line) && rowBefore?.cells.length === row.cells.length;
      rowBefore = row;
    }
  }
  return kept;
}

/** True for `|---|:-:|` and its kin. */
export function isDelimiterRow(line: string): boolean {
  return (
    /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/u.test(line) &&
    /[|:]/u.test(line)
  );
}

function readTable(text: string, lines: readonly TextLine[], first: number, last: number): Table {
  const row = (index: number) => scanRow(text, lines[index] ?? { start: 0, end: 0 }, index + 1);
  const rows = Array.from({ length: Math.max(0, last - first - 1) }, (_, at) =>
    row(first + 2 + at),
  );
  return { header: row(first), rows };
}

export function lineText(text: string, line: TextLine | undefined): string {
  return line === undefined ? '' : text.slice(line.start, line.end);
}
