/**
 * GitHub Markdown from other people's text. Names, messages and logs are hostile: nothing in them
 * may become markup, HTML, a mention, a link or a reference to an issue.
 */
import { oneLine } from './text.ts';

/**
 * What Markdown, HTML or GitHub's mathematics may read as markup; `_` only at the edge of a word.
 * Then what GitHub looks for in the finished page, where an entity would not hide it: mentions and
 * references; and what it makes links of.
 */
const ACTIVE =
  /[\\`*<>&[\]|~$]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|@(?=[\p{L}\p{N}])|#(?=\d)|(?<=\bGH)-(?=\d)|:\/\/|(?<=\bwww)\./giu;
const UNSEEN = '&#8203;';

/** One line of text for a table cell, a list or a sentence. */
export function markdownText(text: string): string {
  return inert(oneLine(text));
}

/** One line of text as inline code, also within a table. */
export function markdownCode(text: string): string {
  const line = oneLine(text);
  if (line === '') return '';
  // Within a table, code has no spelling for a pipe behind a backslash, nor for a lone one.
  if (/[`|\\]/u.test(line)) return `<code>${inert(line)}</code>`;
  return `\`${line}\``;
}

/** Several lines as a block of code; the fence is longer than any in the text. */
export function markdownFence(text: string, language = 'text'): string {
  const runs = [...text.matchAll(/`{3,}/gu)].map((match) => match[0].length);
  const fence = '`'.repeat(Math.max(2, ...runs) + 1);
  const safe = text.replaceAll(/\r\n?/gu, '\n').split('\n').map(visible).join('\n');
  return `${fence}${language}\n${safe}\n${fence}`;
}

/** A log that unfolds within a table cell. */
export function markdownFoldedLog(lines: readonly string[], title: string): string {
  const escaped = lines.map((line) => inert(visible(line)));
  return `<details><summary>${markdownText(title)}</summary><pre>${escaped.join('<br>')}</pre></details>`;
}

export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

export function markdownHead(columns: readonly string[], numbers: readonly string[] = []): string {
  const dashes = columns.map((column) => (numbers.includes(column) ? '---:' : '---'));
  return `${markdownRow(columns)}\n|${dashes.join('|')}|`;
}

/** Bytes of a text in UTF-8: never less than the characters that GitHub counts. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function inert(text: string): string {
  return text.replaceAll(ACTIVE, (found) => {
    if (found === '://') return ':&#47;/';
    return '@#-'.includes(found) ? `${found}${UNSEEN}` : `&#${found.codePointAt(0)};`;
  });
}

/** A line with its blanks, without characters that don't show. */
function visible(line: string): string {
  return line
    .replaceAll('\t', '    ')
    .replaceAll(/(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD');
}
