/** The progress of a run as lines for a terminal. */
import stringWidth from 'string-width';
import { isDone, isPhase, PHASES, STATUSES } from '../../core/lifecycle/state.ts';
import type { Status } from '../../core/lifecycle/state.ts';
import type { ProcedureStatus, RunStatus } from '../../usecases/status.ts';
import { cut, duration, fit, oneLine } from './text.ts';

export type Tone = 'plain' | 'good' | 'bad' | 'busy' | 'quiet' | 'strong';

export interface TableOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Lines that the table may take; null for all. */
  readonly height: number | null;
  readonly now: number;
  readonly paint: (tone: Tone, text: string) => string;
}

const SIGNS: Readonly<Record<Status, { readonly sign: string; readonly tone: Tone }>> = {
  Failed: { sign: '✗', tone: 'bad' },
  Running: { sign: '●', tone: 'busy' },
  Blocked: { sign: '◌', tone: 'quiet' },
  Pending: { sign: '○', tone: 'plain' },
  'Completed (accepted)': { sign: '✓', tone: 'good' },
  'Completed (manual)': { sign: '✓', tone: 'good' },
  Completed: { sign: '✓', tone: 'good' },
  Skipped: { sign: '–', tone: 'quiet' },
};

/** What needs a person first, then what moves, then what waits, then what is done. */
const ORDER: readonly Status[] = [
  'Failed',
  'Running',
  'Pending',
  'Blocked',
  'Completed (accepted)',
  'Completed (manual)',
  'Completed',
  'Skipped',
];

const DOING: Readonly<Record<(typeof PHASES)[number], string>> = {
  discover: 'reading the source',
  analyse: 'analysing',
  translate: 'translating',
  build: 'writing the model',
  prove: 'proving',
  record: 'recording',
};

const BAR = 20;
const HEAD_LINES = 2;

/** A headline, a bar, and one line per procedure. Never wider than `width`. */
export function progressTable(status: RunStatus, options: TableOptions): string[] {
  const rows = status.procedures.toSorted(
    (a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status),
  );
  const room = options.height === null ? rows.length : Math.max(1, options.height - HEAD_LINES);
  const shown = rows.length <= room ? rows : rows.slice(0, room - 1);
  const rest = rows.slice(shown.length);
  const name = Math.max(12, Math.min(44, Math.max(0, ...shown.map(nameWidth)), options.width / 2));
  const state = Math.max(0, ...shown.map((row) => row.status.length));
  return [
    options.paint('strong', cut(headline(status, options.now), options.width)),
    cut(bar(status), options.width),
    ...shown.map((row) => line(row, { name: Math.floor(name), status: state }, options)),
    ...(rest.length === 0 ? [] : [options.paint('quiet', cut(restLine(rest), options.width))]),
  ];
}

/** `sales · running · 3 of 9 done · 1 failed · 4 workers · 12 s`. */
export function headline(status: RunStatus, now: number): string {
  const { summary } = status;
  const end = status.finishedAt === null ? now : Date.parse(status.finishedAt);
  const parts = [
    oneLine(status.plan),
    stateWord(status),
    `${doneCount(status)} of ${summary.total} done`,
    ...(summary.counts.Failed > 0 ? [`${summary.counts.Failed} failed`] : []),
    ...(summary.counts.Blocked > 0 ? [`${summary.counts.Blocked} blocked`] : []),
    ...(status.workers > 0 ? [`${status.workers} worker${status.workers === 1 ? '' : 's'}`] : []),
    duration(end - Date.parse(status.startedAt)),
  ];
  return parts.join(' · ');
}

function stateWord({ summary, action, workers }: RunStatus): string {
  if (summary.state === 'done') return 'done';
  if (summary.state === 'needs a person') return 'needs a person';
  if (action.action === 'PAUSE') return 'paused';
  if (action.action === 'STOP') return workers > 0 ? 'stopping' : 'stopped';
  return workers > 0 ? 'running' : 'no worker';
}

function doneCount({ summary }: RunStatus): number {
  return STATUSES.filter(isDone).reduce((sum, status) => sum + summary.counts[status], 0);
}

function bar(status: RunStatus): string {
  const share = status.summary.total === 0 ? 1 : doneCount(status) / status.summary.total;
  const full = Math.floor(share * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.floor(share * 100)} %`;
}

interface Columns {
  readonly name: number;
  readonly status: number;
}

function line(row: ProcedureStatus, columns: Columns, { width, now, paint }: TableOptions): string {
  const { sign, tone } = SIGNS[row.status];
  const head = `${sign} ${fit(oneLine(row.id), columns.name)} ${fit(row.status, columns.status)}`;
  const detail = cut(oneLine(detailOf(row, now)), width - stringWidth(head) - 1);
  const text = detail === '' ? head.trimEnd() : `${head} ${detail}`;
  return paint(tone, cut(text, width));
}

function detailOf(row: ProcedureStatus, now: number): string {
  if (row.status === 'Running') {
    const since = row.startedAt === null ? '' : `, ${duration(now - Date.parse(row.startedAt))}`;
    const again = row.restarts === 0 ? '' : `, restart ${row.restarts}`;
    return `${doing(row)}${since}${again}`;
  }
  if (row.status === 'Failed' && row.proof !== null && row.proof !== 'proven') {
    return `${row.proof}: ${row.detail ?? ''}`;
  }
  return row.detail ?? '';
}

/** What a running procedure is at: the phase after the last finished one. */
function doing({ mark }: ProcedureStatus): string {
  const last = mark !== null && isPhase(mark) ? PHASES.indexOf(mark) : -1;
  return DOING[PHASES[Math.min(last + 1, PHASES.length - 1)] ?? 'record'];
}

function restLine(rest: readonly ProcedureStatus[]): string {
  const counts = ORDER.flatMap((status) => {
    const count = rest.filter((row) => row.status === status).length;
    return count === 0 ? [] : [`${count} ${status}`];
  });
  return `  … and ${rest.length} more: ${counts.join(', ')}`;
}

function nameWidth(row: ProcedureStatus): number {
  return stringWidth(oneLine(row.id));
}

/** One line per change between two looks at a run, for a pipe or a log file. */
export function changeLines(before: RunStatus | null, after: RunStatus): string[] {
  const known = new Map(before?.procedures.map((row) => [row.id, row]));
  return after.procedures.flatMap((row) => {
    const old = known.get(row.id);
    const initial = old === undefined && (row.status === 'Pending' || row.status === 'Blocked');
    if (old?.status === row.status || initial) return [];
    const detail = row.status === 'Failed' ? detailOf(row, 0) : '';
    return [`${row.status}: ${oneLine(row.id)}${detail === '' ? '' : ` — ${oneLine(detail)}`}`];
  });
}
