/** What workers and people see of a plan's pipelines, in the target's metadata tables. */
import { qualified } from '../core/catalog/names.ts';
import type { Pipeline } from '../core/movement/model.ts';
import {
  pipelineParameters,
  pipelineRecord,
  pipelineSql,
} from '../core/movement/pipeline-record.ts';
import type { PipelineRecord } from '../core/movement/pipeline-record.ts';
import type { Clock } from '../ports/clock.ts';
import type { SourceLag, Statements } from '../ports/move.ts';

export interface PipelineFailure {
  /** For people: what happened, and what to do. */
  readonly message: string;
  /** `schema.table` of source or target; null where no table is meant. */
  readonly table: string | null;
}

export class PipelineStore {
  readonly #at: string;
  readonly #plan: string;
  readonly #clock: Clock;

  /** `schema` is quoted already, for the target's dialect. */
  constructor(schema: string, plan: string, clock: Clock) {
    this.#at = schema;
    this.#plan = plan;
    this.#clock = clock;
  }

  async read(session: Statements): Promise<readonly PipelineRecord[]> {
    const rows = await session.query(pipelineSql(this.#at), pipelineParameters(this.#plan));
    return rows.map(pipelineRecord);
  }

  /** A worker takes the pipelines up: whatever stopped them before is tried again. */
  async begin(session: Statements, pipelines: readonly Pipeline[]): Promise<void> {
    const known = new Set((await this.read(session)).map(({ id }) => id));
    const now = this.#clock.now();
    for (const [position, { source, target, follow }] of pipelines.entries()) {
      const id = qualified(source);
      const values = [qualified(target), follow ? '1' : '0', String(position)];
      await (known.has(id)
        ? session.change(
            `UPDATE ${this.#at}.sprocket_pipeline SET target_table = ?, follows = ?, position = ?, moving = 1,
               failure = NULL, held_by = NULL, started_at = coalesce(started_at, ?) WHERE plan = ? AND pipeline = ?`,
            [...values, now, this.#plan, id],
          )
        : session.change(
            `INSERT INTO ${this.#at}.sprocket_pipeline (target_table, follows, position, moving, started_at, plan, pipeline)
             VALUES (?, ?, ?, 1, ?, ?, ?)`,
            [...values, now, this.#plan, id],
          ));
    }
    const left = new Set(pipelines.map(({ source }) => qualified(source)));
    for (const id of known) {
      if (left.has(id)) continue;
      await session.change(
        `DELETE FROM ${this.#at}.sprocket_pipeline WHERE plan = ? AND pipeline = ?`,
        [this.#plan, id],
      );
    }
  }

  /** Procedures may read the target's tables: that of one pipeline, or (without `id`) all of them. */
  async loaded(session: Statements, id?: string): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.sprocket_pipeline SET loaded_at = ? WHERE plan = ? AND loaded_at IS NULL
          AND (pipeline = ? OR ? = '')`,
      [this.#clock.now(), this.#plan, id ?? '', id ?? ''],
    );
  }

  /** The worker lets go of them: because of what needs a person, or in good order. */
  async end(session: Statements, failure: PipelineFailure | null): Promise<void> {
    if (failure !== null) await this.#fail(session, failure);
    await session.change(`UPDATE ${this.#at}.sprocket_pipeline SET moving = 0 WHERE plan = ?`, [
      this.#plan,
    ]);
  }

  /** The table that an error names failed, and holds up the others; else all that were under way did. */
  async #fail(session: Statements, { table, message }: PipelineFailure): Promise<void> {
    const all = await this.read(session);
    const named = all.find(({ id, target }) => table !== null && [id, target].includes(table));
    for (const { id, loadedAt, follows } of all) {
      if (loadedAt !== null && !follows) continue;
      const isFailed = named === undefined || named.id === id;
      await session.change(
        `UPDATE ${this.#at}.sprocket_pipeline SET failure = ?, held_by = ? WHERE plan = ? AND pipeline = ?`,
        [isFailed ? message : null, isFailed ? null : named.id, this.#plan, id],
      );
    }
  }

  async measured(session: Statements, lag: SourceLag): Promise<void> {
    await session.change(`DELETE FROM ${this.#at}.sprocket_move_lag WHERE plan = ?`, [this.#plan]);
    await session.change(
      `INSERT INTO ${this.#at}.sprocket_move_lag (plan, bytes, retained_bytes, status, measured_at)
       VALUES (?, ?, ?, ?, ?)`,
      [
        this.#plan,
        String(lag.bytes),
        lag.retainedBytes === null ? null : String(lag.retainedBytes),
        lag.status,
        this.#clock.now(),
      ],
    );
  }

  async forget(session: Statements): Promise<void> {
    for (const table of PIPELINE_TABLES) {
      await session.change(`DELETE FROM ${this.#at}.${table} WHERE plan = ?`, [this.#plan]);
    }
  }
}

const PIPELINE_TABLES = ['sprocket_pipeline', 'sprocket_move_lag'] as const;
