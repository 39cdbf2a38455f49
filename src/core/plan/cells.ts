/** Cells with a closed list of words, and those that hold lists of names. */
import type { QualifiedName } from '../catalog/types.ts';
import { STATUSES } from '../lifecycle/state.ts';
import { parseTableName, splitList } from './names.ts';
import { wordProblem } from './sheet.ts';
import type { SheetRow } from './sheet.ts';
import { MODES, RATINGS } from './types.ts';
import type { Dialect, PipelineMode, PlanProblem, Rating, StatusCell } from './types.ts';

/** Takes up a problem and gives what stands in for the cell's value. */
export type Report = (problem: PlanProblem) => void;

export function readInclude(row: SheetRow, report: Report): boolean {
  const word = row.text('Include').toLowerCase();
  if (word !== 'yes' && word !== 'no') {
    report(wordProblem(row, 'Include', 'include-invalid', ['yes', 'no']));
  }
  return word === 'yes';
}

/** An empty cell, or no such column, stands for `load + changes`. */
export function readMode(row: SheetRow, report: Report): PipelineMode {
  const text = row.text('Mode').toLowerCase().replaceAll(/\s+/gu, '');
  if (text === '') return 'load + changes';
  const mode = MODES.find((word) => word.replaceAll(' ', '') === text);
  if (mode === undefined) report(wordProblem(row, 'Mode', 'mode-invalid', MODES));
  return mode ?? 'load';
}

/** `Blocked: waits for dw.load_a()`; an empty cell stands for Pending. */
export function readStatus(row: SheetRow, report: Report): StatusCell {
  const text = row.text('Status');
  if (text === '') return { status: 'Pending', detail: null };
  const { word, detail } = splitWord(text);
  const status = STATUSES.find((name) => name.toLowerCase() === word.toLowerCase());
  if (status === undefined) report(wordProblem(row, 'Status', 'status-invalid', STATUSES));
  return { status: status ?? 'Pending', detail };
}

/** `Unlikely: dynamic SQL (line 12)`; null where the cell is empty. */
export function readRating(
  row: SheetRow,
  report: Report,
): { readonly rating: Rating | null; readonly reasons: string | null } {
  const text = row.text('Rating');
  if (text === '') return { rating: null, reasons: null };
  const { word, detail } = splitWord(text);
  const rating = RATINGS.find((name) => name.toLowerCase() === word.toLowerCase());
  if (rating === undefined) report(wordProblem(row, 'Rating', 'rating-invalid', RATINGS));
  return { rating: rating ?? null, reasons: detail };
}

export function readTables(
  row: SheetRow,
  column: string,
  dialect: Dialect,
  report: Report,
): readonly QualifiedName[] {
  return splitList(row.text(column)).flatMap((item) => {
    const name = readTable(item, row, column, dialect, report);
    return name === null ? [] : [name];
  });
}

export function readTable(
  text: string,
  row: SheetRow,
  column: string,
  dialect: Dialect,
  report: Report,
): QualifiedName | null {
  const parsed = parseTableName(text, dialect);
  if (parsed.ok) return parsed.value;
  report({ ...row.at(column), ...parsed.problem });
  return null;
}

function splitWord(text: string): { readonly word: string; readonly detail: string | null } {
  const colon = text.indexOf(':');
  if (colon < 0) return { word: text.trim(), detail: null };
  const detail = text
    .slice(colon + 1)
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return { word: text.slice(0, colon).trim(), detail: detail === '' ? null : detail };
}
