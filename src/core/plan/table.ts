/** The rows and cells of a GFM table, by offsets, so that one cell can be replaced and no other byte. */
import type { TextLine } from './lines.ts';

export interface Cell {
  /** Between the pipes, padding included. */
  readonly outer: TextRange;
  /** Without padding; empty and in the middle of `outer` where the cell is blank. */
  readonly inner: TextRange;
}

/** Offsets in UTF-16 units of the whole text; `end` is behind the last character. */
interface TextRange {
  readonly start: number;
  readonly end: number;
}

export interface Row extends TextRange {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly Cell[];
  /** True where the row starts with a pipe. */
  readonly opened: boolean;
  /** True where the row ends in a pipe. */
  readonly closed: boolean;
}

export interface Table {
  readonly header: Row;
  readonly rows: readonly Row[];
}

/**
 * Cuts one line of a table at its pipes as GFM does: `\|` and `\\` are pairs, also inside inline
 * code; the pipes at both ends are optional.
 */
export function scanRow(text: string, line: TextLine, lineNumber: number): Row {
  const cells: Cell[] = [];
  let position = skipBlanks(text, line.start, line.end);
  const opened = text[position] === '|';
  if (opened) position += 1;
  let closed = false;
  while (position <= line.end) {
    const end = endOfCell(text, position, line.end);
    const cell = makeCell(text, position, end);
    closed = end < line.end;
    const isBehindLastPipe = !closed && cell.inner.start === cell.inner.end && cells.length > 0;
    if (isBehindLastPipe) closed = true;
    else cells.push(cell);
    position = end + 1;
  }
  return { line: lineNumber, start: line.start, end: line.end, cells, opened, closed };
}

/**
 * The row with as many cells as the header, where that is only a matter of spelling: in a row
 * without a pipe before its first cell, `a |` has an empty second one.
 */
export function fitRow(row: Row, count: number): Row {
  if (row.opened || !row.closed || row.cells.length !== count - 1) return row;
  const nothing = { start: row.end, end: row.end };
  return { ...row, closed: false, cells: [...row.cells, { outer: nothing, inner: nothing }] };
}

function endOfCell(text: string, from: number, end: number): number {
  for (let position = from; position < end; position += 1) {
    const next = text[position + 1];
    if (text[position] === '|') return position;
    if (text[position] === '\\' && (next === '|' || next === '\\')) position += 1;
  }
  return end;
}

function makeCell(text: string, start: number, end: number): Cell {
  const first = skipBlanks(text, start, end);
  let last = end;
  while (last > first && isBlank(text[last - 1])) last -= 1;
  const middle = Math.min(start + 1, end);
  const inner = first === end ? { start: middle, end: middle } : { start: first, end: last };
  return { outer: { start, end }, inner };
}

function skipBlanks(text: string, from: number, end: number): number {
  let position = from;
  while (position < end && isBlank(text[position])) position += 1;
  return position;
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
