/** The progress of a run as a value, and what all its pictures share. */
import { STATUSES } from '../lifecycle/state.ts';
import type { Instant, Status } from '../lifecycle/state.ts';
import { count, formatNumber, formatSeconds, secondsBetween, shortList } from './text.ts';

/** One procedure or pipeline of a run, as it is at one moment. */
export interface ProgressRow {
  /** `schema.name(argument types)` of a procedure, `schema.table` of a pipeline's source. */
  readonly name: string;
  readonly kind: 'procedure' | 'pipeline';
  readonly status: Status;
  /** What is being done: a phase of the lifecycle, or a pipeline's step. Null where nothing is. */
  readonly phase: string | null;
  /** How often a worker died over it. */
  readonly restarts: number;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  /** Names of what a Blocked one waits for, the decisive ones first. */
  readonly waitsFor: readonly string[];
  /** For people: why it failed, is blocked or was skipped; the rate of a pipeline. One line. */
  readonly message: string | null;
  /** Names of its dbt models, as soon as they are known. */
  readonly models: readonly string[];
  /** Rows that were compared, or loaded; null where that is not known. */
  readonly rows: number | null;
}

export interface Progress {
  /** Name of the plan. */
  readonly plan: string;
  /** What the workers are told; null before the run starts. */
  readonly action: 'RUN' | 'PAUSE' | 'STOP' | null;
  /** In the order of the plan. */
  readonly rows: readonly ProgressRow[];
}

/** What needs a person or is under way comes first; what is done comes last. */
const BY_URGENCY: readonly Status[] = [
  'Failed',
  'Blocked',
  'Running',
  'Pending',
  'Completed (accepted)',
  'Completed (manual)',
  'Completed',
  'Skipped',
];

export interface StatusCounts {
  readonly total: number;
  /** Completed in any way, or skipped. */
  readonly done: number;
  readonly byStatus: Readonly<Record<Status, number>>;
}

export function countStatuses(rows: readonly ProgressRow[]): StatusCounts {
  const counts = new Map<Status, number>();
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  const byStatus: Record<Status, number> = {
    Pending: counts.get('Pending') ?? 0,
    Blocked: counts.get('Blocked') ?? 0,
    Running: counts.get('Running') ?? 0,
    Failed: counts.get('Failed') ?? 0,
    Completed: counts.get('Completed') ?? 0,
    'Completed (manual)': counts.get('Completed (manual)') ?? 0,
    'Completed (accepted)': counts.get('Completed (accepted)') ?? 0,
    Skipped: counts.get('Skipped') ?? 0,
  };
  const open = byStatus.Pending + byStatus.Blocked + byStatus.Running + byStatus.Failed;
  return { total: rows.length, done: rows.length - open, byStatus };
}

/** `12 of 24 done, 1 failed, 2 blocked, 2 running, 7 pending`: also the title of a check run. */
export function progressTitle(rows: readonly ProgressRow[]): string {
  const { done, total, byStatus } = countStatuses(rows);
  const open = (['Failed', 'Blocked', 'Running', 'Pending'] as const)
    .filter((status) => byStatus[status] > 0)
    .map((status) => `${formatNumber(byStatus[status])} ${status.toLowerCase()}`);
  const people = (['Completed (accepted)', 'Completed (manual)', 'Skipped'] as const)
    .filter((status) => byStatus[status] > 0)
    .map((status) => `${formatNumber(byStatus[status])} ${personWord(status)}`);
  return [`${formatNumber(done)} of ${formatNumber(total)} done`, ...open, ...people].join(', ');
}

/** `900 completed, 74 pending` for rows that are not shown. */
export function countWords(rows: readonly ProgressRow[]): string {
  const { byStatus } = countStatuses(rows);
  return STATUSES.filter((status) => byStatus[status] > 0)
    .map((status) => `${formatNumber(byStatus[status])} ${status.toLowerCase()}`)
    .join(', ');
}

/** Rows by urgency; among equals in the order of the plan. */
export function byUrgency(
  rows: readonly ProgressRow[],
  order: readonly Status[] = BY_URGENCY,
): readonly ProgressRow[] {
  const groups = new Map(order.map((status): [Status, ProgressRow[]] => [status, []]));
  for (const row of rows) groups.get(row.status)?.push(row);
  return [...groups.values()].flat();
}

/** Since its start, or how long it took; empty where it has not started. */
export function elapsed(row: ProgressRow, now: Instant): string {
  if (row.startedAt === null) return '';
  return formatSeconds(Math.floor(secondsBetween(row.startedAt, row.finishedAt ?? now)));
}

/** The phase of a row that is under way or has failed in it. */
export function phaseOf(row: ProgressRow): string {
  return row.status === 'Running' || row.status === 'Failed' ? (row.phase ?? '') : '';
}

/** What there is to say of a row: reason, what it waits for, restarts, what came out. Unsafe text. */
export function detailOf(row: ProgressRow): string {
  const waits =
    row.status === 'Blocked' && row.waitsFor.length > 0
      ? `waits for ${shortList(row.waitsFor, 3)}`
      : null;
  const came = [
    row.rows === null ? null : count(row.rows, 'row'),
    row.models.length > 0 ? count(row.models.length, 'model') : null,
  ];
  const isOpen = row.status === 'Blocked' || row.status === 'Pending' || row.status === 'Failed';
  return [
    row.message === null || row.message === '' ? waits : row.message,
    ...(isOpen ? [] : came),
    row.restarts > 0 ? count(row.restarts, 'restart') : null,
  ]
    .filter((part) => part !== null)
    .join(', ');
}

/** How a row is called where procedures and pipelines stand in one list. */
export function displayName(row: ProgressRow): string {
  return row.kind === 'pipeline' ? `${row.name} (pipeline)` : row.name;
}

function personWord(status: 'Completed (accepted)' | 'Completed (manual)' | 'Skipped'): string {
  if (status === 'Skipped') return 'skipped';
  return status === 'Completed (accepted)' ? 'accepted' : 'manual';
}
