/** A pipeline as a row of the progress table: rows, rate, estimated end, and how far it is behind. */
import { pipelineName, pipelineStatus } from '../lifecycle/pipelines.ts';
import type { Instant } from '../lifecycle/state.ts';
import type { PipelineRecord } from '../movement/pipeline-record.ts';
import type { ProgressRow } from './progress.ts';
import { formatBytes, formatNumber, formatSeconds, secondsBetween } from './text.ts';

export interface Pace {
  readonly rowsPerSecond: number;
  /** Null where nobody knows how many rows there are. */
  readonly secondsLeft: number | null;
}

/** Of a load that is under way, since it began; null where there is nothing to tell it by. */
export function paceOf(record: PipelineRecord, now: Instant): Pace | null {
  const { startedAt, loadedAt, rows, estimatedRows, moving } = record;
  if (!moving || startedAt === null || loadedAt !== null || rows === 0) return null;
  const seconds = Math.max(1, secondsBetween(startedAt, now));
  const rowsPerSecond = rows / seconds;
  const left = estimatedRows - rows;
  return { rowsPerSecond, secondsLeft: left > 0 ? left / rowsPerSecond : null };
}

/** Seconds between the last applied change's commit at the source and now; 0 where none is missing. */
export function secondsBehind(
  { stream }: Pick<PipelineRecord, 'stream'>,
  now: Instant,
): number | null {
  if (stream === null || stream.lag === null) return null;
  if (stream.lag.bytes === 0 || stream.sourceMs === null) return 0;
  return Math.max(0, Math.round((Date.parse(now) - stream.sourceMs) / 1000));
}

export function pipelineRow(record: PipelineRecord, now: Instant): ProgressRow {
  const { id, failure, heldBy, loadedAt } = record;
  const status = pipelineStatus(record);
  return {
    name: id,
    kind: 'pipeline',
    status,
    phase: status === 'Running' || status === 'Failed' ? phaseOf(record) : null,
    restarts: record.restarts,
    startedAt: record.startedAt,
    finishedAt: loadedAt,
    waitsFor: heldBy === null ? [] : [pipelineName(heldBy)],
    message: failure ?? (heldBy === null ? progressWords(record, now) : null),
    models: [],
    rows: record.rows === 0 && loadedAt === null ? null : record.rows,
  };
}

/** Load, then what was captured meanwhile, then the rest of its life. */
function phaseOf({ phase, loadedAt, follows }: PipelineRecord): string {
  if (loadedAt !== null) return 'follow';
  return follows && phase !== null && phase !== 'created' ? 'catch up' : 'load';
}

function progressWords(record: PipelineRecord, now: Instant): string | null {
  if (record.loadedAt !== null) return followWords(record, now);
  const pace = paceOf(record, now);
  if (pace === null) return null;
  const { rows, estimatedRows } = record;
  const share = Math.min(99, Math.floor((rows / Math.max(1, estimatedRows)) * 100));
  return [
    ...(estimatedRows > 0 ? [`${share} % of about ${formatNumber(estimatedRows)}`] : []),
    `${formatNumber(Math.round(pace.rowsPerSecond))} rows/s`,
    ...(pace.secondsLeft === null ? [] : [`about ${formatSeconds(pace.secondsLeft)} left`]),
  ].join(', ');
}

function followWords(record: PipelineRecord, now: Instant): string | null {
  const { stream, moving, follows } = record;
  if (!follows || stream === null) return null;
  if (stream.cutover === 'done') return 'cut over';
  const { lag } = stream;
  const behind =
    lag === null
      ? []
      : [
          `${formatBytes(lag.bytes)} and ${formatSeconds(secondsBehind(record, now) ?? 0)} behind`,
          ...(lag.retainedBytes === null
            ? []
            : [`source keeps ${formatBytes(lag.retainedBytes)} of log`]),
          ...(lag.status === null || lag.status === 'reserved' ? [] : [`log is ${lag.status}`]),
        ];
  return [moving ? 'following' : 'not followed now', ...behind].join(', ');
}
