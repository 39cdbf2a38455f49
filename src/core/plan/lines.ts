/** Lines of a text as Markdown counts them: CRLF, LF and CR each end a line. */
import type { Position } from './types.ts';

export interface TextLine {
  /** Offset of the first character, in UTF-16 units of the whole text. */
  readonly start: number;
  /** Offset behind the last character, line ending left out. */
  readonly end: number;
}

export function splitLines(text: string, from = 0): TextLine[] {
  const lines: TextLine[] = [];
  const ending = /\r\n|\n|\r/gu;
  ending.lastIndex = from;
  let start = from;
  for (let match = ending.exec(text); match !== null; match = ending.exec(text)) {
    lines.push({ start, end: match.index });
    start = ending.lastIndex;
  }
  lines.push({ start, end: text.length });
  return lines;
}

/** Gives the position of an offset; `lines` are those of the whole text. */
export function positionOf(lines: readonly TextLine[], offset: number): Position {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lines[low]?.start ?? 0) + 1 };
}
