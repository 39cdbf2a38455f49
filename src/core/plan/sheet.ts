/** One of the plan's two tables: found by its heading, its columns found by their names. */
import { cellText } from './cell-text.ts';
import { isDelimiterRow, lineText } from './document.ts';
import type { Section } from './document.ts';
import { positionOf } from './lines.ts';
import type { TextLine } from './lines.ts';
import { oneOf, shown } from './shown.ts';
import { fitRow, scanRow } from './table.ts';
import type { Cell, Row, Table } from './table.ts';
import type { PlanProblem, PlanProblemCode, Position } from './types.ts';

export interface PlanText {
  readonly text: string;
  readonly lines: readonly TextLine[];
}

/** What a table must look like. Names of columns as they stand in the header. */
export interface SheetForm {
  readonly title: 'Pipelines' | 'Procedures';
  /** The column that tells this table from others beneath the heading. */
  readonly key: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

export const PIPELINES: SheetForm = {
  title: 'Pipelines',
  key: 'Source',
  required: ['Include', 'Source', 'Target', 'Status'],
  optional: ['Key', 'Mode'],
};

export const PROCEDURES: SheetForm = {
  title: 'Procedures',
  key: 'Procedure',
  required: ['Include', 'Procedure', 'Status'],
  optional: ['Arguments', 'Writes', 'Depends on', 'Rating'],
};

export interface SheetRow {
  readonly position: Position;
  /** What the cell says; empty where the table has no such column. */
  readonly text: (column: string) => string;
  readonly at: (column: string) => Position;
  /** The cell itself; null where the row has none. */
  readonly cell: (column: string) => Cell | null;
  readonly row: Row;
}

export interface Sheet {
  readonly header: Row;
  readonly rows: readonly SheetRow[];
  /** The header's cell of a column. */
  readonly headerCell: (column: string) => Cell | null;
}

export interface SheetResult {
  /** Null where there is no such table. */
  readonly sheet: Sheet | null;
  readonly problems: readonly PlanProblem[];
}

/** Finds a table of the plan. Rows that don't fit the header are problems, and left out. */
export function readSheet(
  plan: PlanText,
  sections: readonly Section[],
  form: SheetForm,
): SheetResult {
  const found = sections.filter((section) => words(section.title) === words(form.title));
  const section = found[0];
  if (section === undefined) return { sheet: null, problems: [] };
  const problems: PlanProblem[] = found.slice(1).map((again) => ({
    line: again.line,
    column: 1,
    code: 'section-duplicate',
    message: `There is a heading ${form.title} on line ${section.line} already. Put all rows into one table beneath it.`,
  }));

  const tables = section.tables.filter(
    (table, index, all) => all.length === 1 || columnsOf(plan, table).has(words(form.key)),
  );
  const table = tables[0];
  if (table === undefined) {
    return { sheet: null, problems: [...problems, missingTable(plan, section, form)] };
  }
  for (const more of tables.slice(1)) {
    const message = `This is a second table with a column ${form.key} beneath ${form.title}. Put all rows into the one on line ${table.header.line}.`;
    problems.push({ line: more.header.line, column: 1, code: 'table-malformed', message });
  }
  const columns = columnsOf(plan, table);
  problems.push(...columnProblems(plan, table, form));
  problems.push(...lostRows(plan, section, table));
  const rows = table.rows.flatMap((scanned) => {
    const row = fitRow(scanned, table.header.cells.length);
    if (row.cells.length === table.header.cells.length) return [sheetRow(plan, row, columns)];
    problems.push(misfit(row, table));
    return [];
  });
  const headerCell = (column: string) => cellAt(table.header, columns, column);
  return { sheet: { header: table.header, rows, headerCell }, problems };
}

function sheetRow(plan: PlanText, row: Row, columns: ReadonlyMap<string, number>): SheetRow {
  const cell = (column: string) => cellAt(row, columns, column);
  const text = (column: string): string => {
    const range = cell(column)?.inner;
    return range === undefined ? '' : cellText(plan.text.slice(range.start, range.end));
  };
  const position = positionOf(plan.lines, row.start);
  const at = (column: string): Position => {
    const range = cell(column)?.inner;
    return range === undefined ? position : positionOf(plan.lines, range.start);
  };
  return { position, text, at, cell, row };
}

function cellAt(row: Row, columns: ReadonlyMap<string, number>, column: string): Cell | null {
  const index = columns.get(words(column));
  return index === undefined ? null : (row.cells[index] ?? null);
}

/** Index by name of column; of two columns of one name the first. */
function columnsOf(plan: PlanText, table: Table): ReadonlyMap<string, number> {
  const names = headerNames(plan, table);
  return new Map(names.map((name, index): [string, number] => [words(name), index]).toReversed());
}

function headerNames(plan: PlanText, table: Table): readonly string[] {
  return table.header.cells.map(({ inner }) => cellText(plan.text.slice(inner.start, inner.end)));
}

function columnProblems(plan: PlanText, table: Table, form: SheetForm): PlanProblem[] {
  const names = headerNames(plan, table).map(words);
  const { line } = table.header;
  const missing = form.required.filter((column) => !names.includes(words(column)));
  const twice = [...form.required, ...form.optional].filter(
    (column) => names.indexOf(words(column)) !== names.lastIndexOf(words(column)),
  );
  return [
    ...missing.map((column) => ({
      line,
      column: 1,
      code: 'column-missing' as const,
      message: `The table ${form.title} has no column ${column}. Add it, with a cell in every row.`,
    })),
    ...twice.map((column) => ({
      line,
      column: 1,
      code: 'column-duplicate' as const,
      message: `The table ${form.title} has two columns ${column}. Delete or rename one of them.`,
    })),
  ];
}

function misfit(row: Row, table: Table): PlanProblem {
  const count = table.header.cells.length;
  const reason =
    row.cells.length > count
      ? 'Write a pipe inside a cell as \\|.'
      : 'Write every cell, empty ones too; text behind the table needs a blank line before it.';
  const cells = row.cells.length === 1 ? '1 cell' : `${row.cells.length} cells`;
  const message = `This row has ${cells} and the header ${count}. ${reason}`;
  return { line: row.line, column: 1, code: 'row-malformed', message };
}

/** Rows behind a blank line: Markdown ends the table there, and they would be lost in silence. */
function lostRows(plan: PlanText, section: Section, table: Table): PlanProblem[] {
  const count = table.header.cells.length;
  return proseRows(plan, section)
    .filter(({ row }) => count > 1 && row.cells.length === count)
    .map(({ row }) => ({
      line: row.line,
      column: 1,
      code: 'row-malformed',
      message: `This row is not part of the table of line ${table.header.line}. Delete what separates them, such as a blank line.`,
    }));
}

function missingTable(plan: PlanText, section: Section, form: SheetForm): PlanProblem {
  const columns = [...form.required, ...form.optional];
  const rows = proseRows(plan, section);
  const first = rows.find(({ row }) => row.cells.length > 1);
  if (first === undefined) {
    const example = `| ${columns.join(' | ')} |`;
    const message = `There is no table beneath ${form.title}. Write the header ${example}, a line of dashes |${'---|'.repeat(columns.length)} and a row for each.`;
    return { line: section.line, column: 1, code: 'table-missing', message };
  }
  const header = first.row;
  const next = rows.find(({ row }) => row.line === header.line + 1);
  const dashes = `|${'---|'.repeat(header.cells.length)}`;
  const message =
    next !== undefined && isDelimiterRow(next.text)
      ? `The header has ${header.cells.length} cells and the line of dashes ${next.row.cells.length}. Write ${dashes}.`
      : `This is not a table: its header lacks the line of dashes. Write ${dashes} beneath it, without a blank line.`;
  return { line: header.line, column: 1, code: 'table-malformed', message };
}

function proseRows(plan: PlanText, section: Section): { row: Row; text: string }[] {
  return section.prose.flatMap(({ first, last }) =>
    plan.lines.slice(first - 1, last).flatMap((line, index) => {
      const text = lineText(plan.text, line);
      return text.includes('|') ? [{ row: scanRow(plan.text, line, first + index), text }] : [];
    }),
  );
}

/** A problem with the word in a cell of a closed list; null where it is one of them. */
export function wordProblem(
  row: SheetRow,
  column: string,
  code: PlanProblemCode,
  allowed: readonly string[],
): PlanProblem {
  const text = row.text(column);
  const what = text === '' ? `${column} is empty.` : `${column} can not be ${shown(text)}.`;
  return { ...row.at(column), code, message: `${what} Write ${oneOf(allowed)}.` };
}

/** Lower case, single spaces: how headings and columns are compared. */
function words(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim().toLowerCase();
}
