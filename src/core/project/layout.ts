/** Layout of SQL that somebody else wrote: indentation is changed only where it means nothing. */

/** Opening marks of what can span lines, with the mark that closes it. */
function closingMark(sql: string, at: number): string | null {
  const char = sql[at];
  if (char === "'" || char === '"') return char;
  if (char === '$') return /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(sql.slice(at))?.[0] ?? null;
  return null;
}

/** True where a string or a quoted name runs over the end of a line. */
export function hasMultilineString(sql: string): boolean {
  let at = 0;
  while (at < sql.length) {
    if (sql.startsWith('--', at)) {
      at = indexAfter(sql, '\n', at);
      continue;
    }
    if (sql.startsWith('/*', at)) {
      at = indexAfter(sql, '*/', at + 2);
      continue;
    }
    const mark = closingMark(sql, at);
    if (mark === null) {
      at++;
      continue;
    }
    const escapes =
      mark === "'" && /(?:^|[^\p{L}\p{N}_$])e$/iu.test(sql.slice(Math.max(0, at - 2), at));
    const end = endOfQuoted(sql, at + mark.length, mark, escapes);
    if (sql.slice(at, end).includes('\n')) return true;
    at = end;
  }
  return false;
}

function indexAfter(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from);
  return found === -1 ? sql.length : found + mark.length;
}

function endOfQuoted(sql: string, from: number, mark: string, escapes: boolean): number {
  let at = from;
  while (at < sql.length) {
    if (escapes && sql[at] === '\\') at += 2;
    else if (sql.startsWith(mark, at)) return at + mark.length;
    else at++;
  }
  return sql.length;
}

/**
 * Indents a text by so many spaces, keeping the lines' indentation relative to each other. Text
 * with a string over several lines comes back as it is, but for blank lines around it.
 */
export function reindent(sql: string, spaces: number): string {
  const text = sql.replace(/^(?:[^\S\n]*\n)+/u, '').trimEnd();
  if (hasMultilineString(text)) return text;
  const lines = text.split('\n').map((line) => line.trimEnd());
  // The first line was cut out of the middle of a line, so it tells nothing about the others.
  const widths = lines.slice(1).flatMap((line) => (line === '' ? [] : [indentWidth(line)]));
  const common = widths.length === 0 ? 0 : Math.min(...widths);
  return lines
    .map((line, index) => {
      if (line === '') return '';
      const body = index === 0 ? line.trimStart() : line.slice(common);
      return ' '.repeat(spaces) + body;
    })
    .join('\n');
}

function indentWidth(line: string): number {
  return line.length - line.trimStart().length;
}

/** One line of text for a comment. */
export function commentText(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

/** `line 3` or `lines 3-20`. */
export function lineRange({
  first,
  last,
}: {
  readonly first: number;
  readonly last: number;
}): string {
  return first === last ? `line ${first}` : `lines ${first}-${last}`;
}
