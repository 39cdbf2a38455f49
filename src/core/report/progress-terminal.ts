/** The progress table for a terminal, and plain lines for a pipe. */
import type { Instant, Status } from '../lifecycle/state.ts';
import {
  byUrgency,
  countStatuses,
  countWords,
  detailOf,
  displayName,
  elapsed,
  phaseOf,
  progressTitle,
} from './progress.ts';
import type { Progress, ProgressRow } from './progress.ts';
import { fit, formatNumber, oneLine, truncate, width } from './text.ts';

export interface TerminalOptions {
  /** Columns of the terminal; no line is wider. At least 20 are taken for granted. */
  readonly columns: number;
  /** Lines that the whole picture may have; Infinity for no limit. */
  readonly lines: number;
  readonly colour: boolean;
  readonly now: Instant;
}

interface Look {
  readonly label: string;
  readonly mark: string;
  readonly colour: number;
}

/** Labels are short, so that names have room in 80 columns. */
const LOOKS: Readonly<Record<Status, Look>> = {
  Pending: { label: 'Pending', mark: '·', colour: 90 },
  Blocked: { label: 'Blocked', mark: '○', colour: 33 },
  Running: { label: 'Running', mark: '●', colour: 36 },
  Failed: { label: 'Failed', mark: '✗', colour: 31 },
  Completed: { label: 'Completed', mark: '✓', colour: 32 },
  'Completed (manual)': { label: 'Manual', mark: '✓', colour: 32 },
  'Completed (accepted)': { label: 'Accepted', mark: '✓', colour: 32 },
  Skipped: { label: 'Skipped', mark: '–', colour: 90 },
};
/** Always the same, so that rows stay in place while statuses change. */
const STATUS_COLUMNS = Math.max(...Object.values(LOOKS).map(({ label }) => label.length));
const DIM = 90;
const BOLD = 1;

/** What moves comes first where not all rows have room. */
const BY_ACTIVITY: readonly Status[] = [
  'Running',
  'Failed',
  'Blocked',
  'Pending',
  'Completed (accepted)',
  'Completed (manual)',
  'Completed',
  'Skipped',
];

const GAP = '  ';
const LEAST_COLUMNS = 20;
const LEAST_ROWS = 3;

/** Lines of the picture, none wider than the terminal. */
export function terminalTable(progress: Progress, options: TerminalOptions): readonly string[] {
  const columns = Math.max(LEAST_COLUMNS, options.columns);
  const paint = painter(options.colour);
  const head = headLines(progress, columns, paint);
  if (progress.rows.length === 0) return head;
  const room = Math.max(LEAST_ROWS, options.lines - head.length - 1);
  const whole = pictureOf(progress.rows.slice(0, room), options.now, columns, paint);
  const fits = progress.rows.length <= room && whole.lines.flat().length <= room;
  if (fits) return [...head, whole.titles, ...whole.lines.flat()];

  const ordered = byUrgency(progress.rows, BY_ACTIVITY);
  const { titles, lines } = pictureOf(ordered.slice(0, room), options.now, columns, paint);
  const shown: string[] = [];
  let taken = 0;
  for (const next of lines) {
    if (shown.length + next.length > room - 1) break;
    shown.push(...next);
    taken += 1;
  }
  const rest = ordered.slice(taken);
  const more = truncate(`… and ${formatNumber(rest.length)} more: ${countWords(rest)}`, columns);
  return [...head, titles, ...shown, paint(DIM, more)];
}

/** The title line, and the lines of each row. */
function pictureOf(
  rows: readonly ProgressRow[],
  now: Instant,
  columns: number,
  paint: Paint,
): { readonly titles: string; readonly lines: readonly string[][] } {
  const cells = rows.map((row) => cellsOf(row, now));
  const layout = layoutOf(cells, columns);
  return {
    titles: paint(DIM, titleLine(layout, columns)),
    lines: cells.map((cell) => rowLines(cell, layout, columns, paint)),
  };
}

/** One line for the run and one for each row, uncut: for pipes and logs. */
export function plainLines(progress: Progress, now: Instant): readonly string[] {
  const cells = progress.rows.map((row) => cellsOf(row, now));
  const widest = (of: (cell: RowCells) => string) =>
    Math.max(0, ...cells.map((cell) => width(of(cell))));
  const [status, name, phase, time] = [
    widest((cell) => cell.row.status),
    widest((cell) => cell.name),
    widest((cell) => cell.phase),
    widest((cell) => cell.time),
  ];
  const action = progress.action === null ? '' : `${progress.action}, `;
  return [
    `${progress.plan}: ${action}${progressTitle(progress.rows)}`,
    ...cells.map((cell) =>
      [
        fit(cell.row.status, status),
        fit(cell.name, name),
        fit(cell.phase, phase),
        fit(cell.time, time, 'right'),
        cell.detail,
      ]
        .join(GAP)
        .trimEnd(),
    ),
  ];
}

/** One line for each row that is new or has another status or phase than before: a running log. */
export function changeLines(
  before: readonly ProgressRow[],
  after: readonly ProgressRow[],
  now: Instant,
): readonly string[] {
  const known = new Map(before.map((row) => [`${row.kind} ${row.name}`, row]));
  return after
    .filter((row) => {
      const old = known.get(`${row.kind} ${row.name}`);
      return old?.status !== row.status || phaseOf(old) !== phaseOf(row);
    })
    .map((row) => {
      const { name, phase, time, detail } = cellsOf(row, now);
      const doing =
        row.status === 'Running' && phase !== '' ? `${row.status} (${phase})` : row.status;
      const took = row.finishedAt === null || time === '' ? '' : ` after ${time}`;
      return `${name}: ${doing}${took}${detail === '' ? '' : `, ${detail}`}`;
    });
}

interface RowCells {
  readonly row: ProgressRow;
  readonly name: string;
  readonly phase: string;
  readonly time: string;
  readonly detail: string;
}

interface Layout {
  readonly name: number;
  /** 0 where no row has any. */
  readonly phase: number;
  readonly time: number;
  /** Columns that are left behind the others; 0 where no row has any detail. */
  readonly detail: number;
}

type Paint = (code: number, text: string) => string;

function painter(colour: boolean): Paint {
  return (code, text) => (colour && text !== '' ? `\u001B[${code}m${text}\u001B[0m` : text);
}

function cellsOf(row: ProgressRow, now: Instant): RowCells {
  return {
    row,
    name: oneLine(displayName(row)),
    phase: oneLine(phaseOf(row)),
    time: elapsed(row, now),
    detail: oneLine(detailOf(row)),
  };
}

function headLines(progress: Progress, columns: number, paint: Paint): string[] {
  const { done, total } = countStatuses(progress.rows);
  const plan = oneLine(progress.plan);
  const action = progress.action ?? '';
  const first = truncate(`${fit(plan, columns - width(action) - 1)} ${action}`.trimEnd(), columns);
  const barColumns = Math.max(0, Math.min(40, columns - 24));
  const full = total === 0 ? 0 : Math.floor((done / total) * barColumns);
  const bar = `${'█'.repeat(full)}${'░'.repeat(barColumns - full)}`;
  const [finished = '', ...counts] = progressTitle(progress.rows).split(', ');
  return [
    paint(BOLD, first),
    truncate(bar === '' ? finished : `${bar}${GAP}${finished}`, columns),
    ...(counts.length === 0 ? [] : [truncate(counts.join(', '), columns)]),
  ];
}

function layoutOf(cells: readonly RowCells[], columns: number): Layout {
  const widest = (of: (cell: RowCells) => string, title: string): number => {
    const most = cells.reduce((sum, cell) => Math.max(sum, width(of(cell))), 0);
    return most === 0 ? 0 : Math.max(most, width(title));
  };
  const phase = widest((cell) => cell.phase, 'Phase');
  const time = widest((cell) => cell.time, 'Time');
  const wantedName = widest((cell) => cell.name, 'Name');
  const hasDetail = widest((cell) => cell.detail, 'Detail') > 0;
  const others = [phase, time].filter((of) => of > 0);
  const room =
    columns -
    2 -
    STATUS_COLUMNS -
    GAP.length -
    others.reduce((sum, of) => sum + of + GAP.length, 0);
  const name = Math.max(1, Math.min(wantedName, room));
  return {
    name,
    phase,
    time,
    detail: hasDetail ? Math.max(0, room - name - GAP.length) : 0,
  };
}

function titleLine(layout: Layout, columns: number): string {
  const cells = [
    fit('Status', STATUS_COLUMNS),
    fit('Name', layout.name),
    ...(layout.phase === 0 ? [] : [fit('Phase', layout.phase)]),
    ...(layout.time === 0 ? [] : [fit('Time', layout.time, 'right')]),
    ...(layout.detail < 'Detail'.length ? [] : ['Detail']),
  ];
  return truncate(`  ${cells.join(GAP)}`.trimEnd(), columns);
}

/** A row. What does not fit beside it stands beneath its name, where it says what to do. */
function rowLines(cell: RowCells, layout: Layout, columns: number, paint: Paint): string[] {
  const { label, mark, colour } = LOOKS[cell.row.status];
  const isLong = width(cell.detail) > layout.detail;
  const isNeeded = cell.row.message !== null || cell.row.status === 'Blocked';
  const beside = isLong && isNeeded ? '' : wholeParts(cell.detail, layout.detail);
  const rest = [
    fit(cell.name, layout.name),
    ...(layout.phase === 0 ? [] : [fit(cell.phase, layout.phase)]),
    ...(layout.time === 0 ? [] : [fit(cell.time, layout.time, 'right')]),
    beside,
  ].join(GAP);
  const status = `${mark} ${fit(label, STATUS_COLUMNS)}`;
  const room = columns - width(status) - GAP.length;
  const line = `${paint(colour, status)}${GAP}${truncate(rest.trimEnd(), room)}`;
  if (!isLong || !isNeeded) return [line];
  const indent = ' '.repeat(2 + STATUS_COLUMNS + GAP.length);
  return [line, `${indent}${paint(DIM, truncate(cell.detail, columns - indent.length))}`];
}

/** As many of the parts between commas as fit. */
function wholeParts(detail: string, columns: number): string {
  let kept = '';
  for (const part of detail.split(', ')) {
    const next = kept === '' ? part : `${kept}, ${part}`;
    if (width(next) > columns) break;
    kept = next;
  }
  return kept;
}
