/** What is recorded of each pipeline of a plan, in SQL that both dialects read alike. */
import { z } from 'zod';
import type { PipelineFacts } from '../lifecycle/pipelines.ts';
import { progressTarget } from './names.ts';

export interface PipelineRecord extends PipelineFacts {
  /** `schema.table` in the target. */
  readonly target: string;
  readonly follows: boolean;
  /** `created` → `loaded` → `indexed` → `final`; null where it was not begun. */
  readonly phase: 'created' | 'loaded' | 'indexed' | 'final' | null;
  readonly startedAt: string | null;
  /** Rows that files brought. */
  readonly rows: number;
  /** Of the source, when the load began; 0 where it was never analysed. */
  readonly estimatedRows: number;
  /** Zero dates that became NULL. */
  readonly nulled: number;
  /** How often a worker died over one of its files. */
  readonly restarts: number;
  /** Of all followed tables together; null where none is followed. */
  readonly stream: StreamRecord | null;
}

export interface StreamRecord {
  /** Row changes that were applied. */
  readonly changes: number;
  readonly cutover: 'no' | 'asked' | 'done';
  /** When the last applied transaction was committed at the source, in milliseconds since 1970. */
  readonly sourceMs: number | null;
  /** As it was last measured; null where it was not yet. */
  readonly lag: LagRecord | null;
}

export interface LagRecord {
  readonly bytes: number;
  /** Log that the source keeps for us; null where it has no such thing. */
  readonly retainedBytes: number | null;
  /** What the source says of the log that we need. */
  readonly status: string | null;
  readonly measuredAt: string;
}

/** `?` stands for a parameter of `pipelineParameters`. `schema` is quoted. */
export function pipelineSql(schema: string): string {
  return `SELECT p.pipeline, p.target_table, p.follows, p.moving, p.started_at, p.loaded_at, p.failure, p.held_by,
      t.phase, t.estimate, t.nulled, l.moved, l.restarts,
      s.changes, s.cutover, s.source_ms, g.bytes, g.retained_bytes, g.status, g.measured_at
    FROM ${schema}.sprocket_pipeline p
    LEFT JOIN ${schema}.sprocket_move_table t ON t.plan = p.plan AND t.source_table = p.pipeline
    LEFT JOIN (
      SELECT f.number, sum(CASE WHEN r.finish_time IS NULL THEN 0 ELSE CAST(r.mark AS DECIMAL(20)) END) AS moved,
          sum(r.restarts) AS restarts
        FROM ${schema}.sprocket_move_file f
        JOIN ${schema}.wirekite_progress r ON r.source = f.file AND r.target = ?
       WHERE f.plan = ? GROUP BY f.number) l ON l.number = t.number
    LEFT JOIN ${schema}.sprocket_move_stream s ON s.plan = p.plan AND p.follows = 1
    LEFT JOIN ${schema}.sprocket_move_lag g ON g.plan = p.plan
   WHERE p.plan = ? ORDER BY p.position`;
}

export function pipelineParameters(plan: string): readonly string[] {
  return [progressTarget(plan, 'D'), plan, plan];
}

const text = z.string().nullable();
const number = z.coerce.number();
const optional = z
  .string()
  .nullable()
  .transform((value) => (value === null ? null : Number(value)));
const flag = z.enum(['0', '1']).transform((value) => value === '1');

const rowSchema = z.tuple([
  z.string(),
  z.string(),
  flag,
  flag,
  text,
  text,
  text,
  text,
  z.enum(['created', 'loaded', 'indexed', 'final']).nullable(),
  number,
  number,
  number,
  number,
  optional,
  z.enum(['no', 'asked', 'done']).nullable(),
  optional,
  optional,
  optional,
  text,
  text,
]);

export function pipelineRecord(row: readonly (string | null)[]): PipelineRecord {
  const [
    id,
    target,
    follows,
    moving,
    startedAt,
    loadedAt,
    failure,
    heldBy,
    phase,
    estimatedRows,
    nulled,
    rows,
    restarts,
    changes,
    cutover,
    sourceMs,
    bytes,
    retainedBytes,
    status,
    measuredAt,
  ] = rowSchema.parse(row);
  const lag =
    bytes === null || measuredAt === null ? null : { bytes, retainedBytes, status, measuredAt };
  const facts = { id, moving, loadedAt, failure, heldBy };
  const load = { phase, startedAt, rows, estimatedRows, nulled, restarts };
  const stream = cutover === null ? null : { changes: changes ?? 0, cutover, sourceMs, lag };
  return { ...facts, target, follows, ...load, stream };
}
