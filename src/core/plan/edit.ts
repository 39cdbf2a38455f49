/** Changes to a plan's text: only the cells that change, no other byte. */
import { qualified } from '../catalog/names.ts';
import type { QualifiedName } from '../catalog/types.ts';
import type { Status } from '../lifecycle/state.ts';
import { cellText } from './cell-text.ts';
import { escapeCell } from './cell-writing.ts';
import { parseRoutineName, parseTableName } from './names.ts';
import { readPlanDocument, sourceDialect } from './parse.ts';
import type { PlanDocument } from './parse.ts';
import type { Sheet, SheetRow } from './sheet.ts';
import type { Cell } from './table.ts';

/** `id`: of a procedure `schema.name(argument types)`, of a pipeline its source `schema.table`. */
interface PlanItem {
  readonly kind: 'procedure' | 'pipeline';
  readonly id: string;
}

export interface StatusChange extends PlanItem {
  readonly status: Status;
  /** What stands behind the status: why it is blocked, or failed. One line; null for nothing. */
  readonly detail: string | null;
}

export interface IncludeChange extends PlanItem {
  readonly include: boolean;
}

export interface EditedPlan {
  readonly text: string;
  /** Changes whose row the plan doesn't have (any more); the others are made all the same. */
  readonly notFound: readonly PlanItem[];
}

/** Long reasons have their place in the log. */
const MAX_DETAIL = 160;

/** Writes Status cells. A cell that says the same already stays as it is. */
export function setStatus(text: string, changes: readonly StatusChange[]): EditedPlan {
  return editCells(text, 'Status', changes, ({ status, detail }) => statusText(status, detail));
}

/** Writes Include cells. A cell that says the same already stays as it is. */
export function setInclude(text: string, changes: readonly IncludeChange[]): EditedPlan {
  return editCells(text, 'Include', changes, ({ include }) => (include ? 'yes' : 'no'));
}

/** What a Status cell says: `Blocked: waits for dw.load_a()`. */
export function statusText(status: Status, detail: string | null): string {
  const line = (detail ?? '').replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...line];
  const short =
    characters.length > MAX_DETAIL
      ? `${characters
          .slice(0, MAX_DETAIL - 1)
          .join('')
          .trimEnd()}…`
      : line;
  return short === '' ? status : `${status}: ${short}`;
}

interface CellEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function editCells<T extends PlanItem>(
  text: string,
  column: 'Status' | 'Include',
  changes: readonly T[],
  wanted: (change: T) => string,
): EditedPlan {
  const document = readPlanDocument(text);
  const rows = rowsById(document);
  const notFound: PlanItem[] = [];
  const edits = new Map<number, CellEdit>();
  for (const change of changes) {
    const found = rows.get(key(change));
    const cell = found?.row.cell(column) ?? null;
    if (found === undefined || cell === null) {
      notFound.push({ kind: change.kind, id: change.id });
      continue;
    }
    const edit = replaceCell(text, found, cell, found.sheet.headerCell(column), wanted(change));
    edits.set(cell.outer.start, edit);
  }
  const parts: string[] = [];
  let position = 0;
  for (const edit of [...edits.values()].toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(position, edit.start), edit.text);
    position = edit.end;
  }
  return { text: [...parts, text.slice(position)].join(''), notFound };
}

interface FoundRow {
  readonly sheet: Sheet;
  readonly row: SheetRow;
}

function rowsById(document: PlanDocument): ReadonlyMap<string, FoundRow> {
  const dialect = sourceDialect(document);
  const entries: [string, FoundRow][] = [];
  const sheets = [
    { kind: 'pipeline', sheet: document.pipelines, column: 'Source' },
    { kind: 'procedure', sheet: document.procedures, column: 'Procedure' },
  ] as const;
  for (const { kind, sheet, column } of sheets) {
    for (const row of sheet?.rows ?? []) {
      const id = idOf(kind, row.text(column), dialect);
      if (id !== null && sheet !== null) entries.push([key({ kind, id }), { sheet, row }]);
    }
  }
  // Of two rows of one name, the first is meant, as in reading.
  return new Map(entries.toReversed());
}

function idOf(
  kind: PlanItem['kind'],
  text: string,
  dialect: Parameters<typeof parseTableName>[1],
): string | null {
  if (kind === 'procedure') {
    const routine = parseRoutineName(text, dialect);
    return routine.ok ? routine.value.id : null;
  }
  const table = parseTableName(text, dialect);
  return table.ok ? qualified(table.value satisfies QualifiedName) : null;
}

/**
 * Padding depends on the header and not on what the cell held before, so that the text does not
 * depend on how often a run was interrupted.
 */
function replaceCell(
  text: string,
  { row }: FoundRow,
  cell: Cell,
  header: Cell | null,
  wanted: string,
): CellEdit {
  const { outer, inner } = cell;
  const unchanged = { start: inner.start, end: inner.start, text: '' };
  if (cellText(text.slice(inner.start, inner.end)) === wanted) return unchanged;
  const isBlank = inner.start === inner.end;
  const headerPadding = header === null ? 1 : header.inner.start - header.outer.start;
  const before = isBlank
    ? ' '.repeat(Math.min(1, headerPadding))
    : text.slice(outer.start, inner.start);
  const content = `${before}${escapeCell(wanted)}`;
  const isOpenEnd = !row.row.closed && row.row.cells.at(-1) === cell;
  if (isOpenEnd) return { start: outer.start, end: inner.end, text: content };
  const headerWidth = header === null ? 0 : header.outer.end - header.outer.start;
  const least = header === null || header.inner.end < header.outer.end ? 1 : 0;
  const after = ' '.repeat(Math.max(least, headerWidth - [...content].length));
  return { start: outer.start, end: outer.end, text: `${content}${after}` };
}

function key({ kind, id }: PlanItem): string {
  return `${kind} ${id}`;
}
