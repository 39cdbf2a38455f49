/**
 * What a move has done so far, in the target's metadata tables. Everything is in SQL that both dialects read
 * alike, and runs on whichever session is given, so that a mark can be part of the work's own transaction.
 */
import type { TableMapping } from '../core/movement/model.ts';
import { MoveError } from '../core/movement/errors.ts';
import { progressTarget } from '../core/movement/names.ts';
import type { Clock } from '../ports/clock.ts';
import type { Statements } from '../ports/move.ts';
import type { StoredFile, StoredStream, StoredTable } from './move_stored.ts';
import { cutoverSchema, mappingSchema, phaseSchema, storedKey } from './move_stored.ts';

export type Operation = 'D' | 'CE' | 'C';

const MOST_RESTARTS = 5;

export class MoveStore {
  readonly #at: string;
  readonly #plan: string;
  readonly #clock: Clock;

  /** `schema` is quoted already, for the target's dialect. */
  constructor(schema: string, plan: string, clock: Clock) {
    this.#at = schema;
    this.#plan = plan;
    this.#clock = clock;
  }

  #now(): string {
    return this.#clock.now().slice(0, 23).replace('T', ' ');
  }

  #target(operation: Operation): string {
    return progressTarget(this.#plan, operation);
  }

  async actions(session: Statements): Promise<readonly (string | null)[]> {
    return (await session.query(`SELECT action FROM ${this.#at}.wirekite_action`)).map(
      (row) => row[0] ?? null,
    );
  }

  async setAction(session: Statements, action: 'RUN' | 'PAUSE' | 'STOP'): Promise<void> {
    await session.change(`DELETE FROM ${this.#at}.wirekite_action WHERE action <> ?`, [action]);
    await session.change(
      `INSERT INTO ${this.#at}.wirekite_action (action) SELECT ? FROM (SELECT 1 AS one) x
        WHERE NOT EXISTS (SELECT 1 FROM ${this.#at}.wirekite_action)`,
      [action],
    );
  }

  async tables(session: Statements): Promise<readonly StoredTable[]> {
    const rows = await session.query(
      `SELECT number, mapping, phase, files, covered, complete, loaded_at FROM ${this.#at}.sprocket_move_table WHERE plan = ? ORDER BY number`,
      [this.#plan],
    );
    return rows.map(([number, mapping, phase, files, covered, complete, loadedAt]) => ({
      number: Number(number),
      mapping: mappingSchema.parse(JSON.parse(mapping ?? 'null')),
      phase: phaseSchema.parse(phase),
      files: Number(files),
      covered: storedKey(covered),
      complete: complete === '1',
      loadedAt: loadedAt ?? null,
    }));
  }

  /** Each table with the rows that its finished files brought. */
  async tableRows(
    session: Statements,
  ): Promise<readonly { table: StoredTable; rows: number; estimate: number; nulled: number }[]> {
    const counts = await session.query(
      `SELECT t.number, t.estimate, t.nulled, p.mark FROM ${this.#at}.sprocket_move_table t
         LEFT JOIN ${this.#at}.sprocket_move_file f ON f.plan = t.plan AND f.number = t.number
         LEFT JOIN ${this.#at}.wirekite_progress p ON p.source = f.file AND p.target = ? AND p.finish_time IS NOT NULL
        WHERE t.plan = ?`,
      [this.#target('D'), this.#plan],
    );
    return (await this.tables(session)).map((table) => {
      const own = counts.filter((row) => Number(row[0]) === table.number);
      return {
        table,
        rows: own.reduce((total, row) => total + Number(row[3] ?? 0), 0),
        estimate: Number(own[0]?.[1] ?? 0),
        nulled: Number(own[0]?.[2] ?? 0),
      };
    });
  }

  async addTable(
    session: Statements,
    number: number,
    mapping: TableMapping,
    estimate: number,
  ): Promise<void> {
    await session.change(
      `INSERT INTO ${this.#at}.sprocket_move_table
         (plan, number, source_table, mapping, phase, files, covered, complete, loaded_at, estimate, nulled)
       VALUES (?, ?, ?, ?, 'created', 0, NULL, 0, NULL, ?, 0)`,
      [
        this.#plan,
        String(number),
        `${mapping.source.schema}.${mapping.source.name}`.slice(0, 256),
        JSON.stringify(mapping),
        String(estimate),
      ],
    );
  }

  setMapping(session: Statements, number: number, mapping: TableMapping): Promise<void> {
    return this.#setTable(session, number, 'mapping', JSON.stringify(mapping));
  }

  setPhase(session: Statements, number: number, phase: StoredTable['phase']): Promise<void> {
    return this.#setTable(session, number, 'phase', phase);
  }

  setNulled(session: Statements, number: number, nulled: number): Promise<void> {
    return this.#setTable(session, number, 'nulled', String(nulled));
  }

  setLoadedAt(session: Statements, number: number, position: string): Promise<void> {
    return this.#setTable(session, number, 'loaded_at', position);
  }

  async #setTable(
    session: Statements,
    number: number,
    column: 'mapping' | 'phase' | 'nulled' | 'loaded_at',
    value: string,
  ): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.sprocket_move_table SET ${column} = ? WHERE plan = ? AND number = ?`,
      [value, this.#plan, String(number)],
    );
  }

  /** Files that were begun and not finished, oldest first. */
  async openFiles(session: Statements): Promise<readonly StoredFile[]> {
    const rows = await session.query(
      `SELECT f.file, f.number, f.lower_key, f.upper_key FROM ${this.#at}.sprocket_move_file f
         JOIN ${this.#at}.wirekite_progress p ON p.source = f.file AND p.target = ?
        WHERE f.plan = ? AND p.finish_time IS NULL ORDER BY f.number, f.file`,
      [this.#target('D'), this.#plan],
    );
    return rows.map(([file, number, lower, upper]) => ({
      file: file ?? '',
      number: Number(number),
      lower: storedKey(lower),
      upper: storedKey(upper),
    }));
  }

  /** A new file of a table, and what the table's files cover with it. In one transaction. */
  async addFile(
    session: Statements,
    file: StoredFile,
    table: TableMapping,
    files: number,
  ): Promise<void> {
    await this.beginRow(
      session,
      file.file,
      'D',
      `${table.target.schema}.${table.target.name}`,
      null,
    );
    const text = (bound: readonly string[] | null) =>
      bound === null ? null : JSON.stringify(bound);
    await session.change(
      `INSERT INTO ${this.#at}.sprocket_move_file (plan, file, number, lower_key, upper_key) VALUES (?, ?, ?, ?, ?)`,
      [this.#plan, file.file, String(file.number), text(file.lower), text(file.upper)],
    );
    await session.change(
      `UPDATE ${this.#at}.sprocket_move_table SET files = ?, covered = ?, complete = ? WHERE plan = ? AND number = ?`,
      [
        String(files),
        text(file.upper),
        file.upper === null ? '1' : '0',
        this.#plan,
        String(file.number),
      ],
    );
  }

  /** Locks the row of a file; throws where it was finished by somebody else. */
  async lockRow(session: Statements, source: string, operation: Operation): Promise<void> {
    const rows = await session.query(
      `SELECT finish_time FROM ${this.#at}.wirekite_progress WHERE source = ? AND target = ? FOR UPDATE`,
      [source, this.#target(operation)],
    );
    if (rows.length !== 1 || rows[0]?.[0] !== null) {
      throw new MoveError(
        'lost-claim',
        `${source} was finished by another worker meanwhile; this one stops.`,
      );
    }
  }

  async beginRow(
    session: Statements,
    source: string,
    operation: Operation,
    table: string | null,
    mark: string | null,
  ): Promise<void> {
    const known = await session.query(
      `SELECT 1 FROM ${this.#at}.wirekite_progress WHERE source = ? AND target = ?`,
      [source, this.#target(operation)],
    );
    if (known.length > 0) return;
    await session.change(
      `INSERT INTO ${this.#at}.wirekite_progress (source, target, operation, mark, table_name, start_time)
       VALUES (?, ?, ?, ?, ?, ?)`,
      [
        source,
        this.#target(operation),
        operation,
        mark,
        table === null ? null : table.slice(0, 256),
        this.#now(),
      ],
    );
  }

  /** Times are written even where they stay: old servers would set the first one to now by themselves. */
  async setMark(
    session: Statements,
    source: string,
    operation: Operation,
    mark: string,
    finished: boolean,
  ): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.wirekite_progress SET mark = ?, start_time = start_time${finished ? ', finish_time = ?' : ''}
        WHERE source = ? AND target = ?`,
      [mark, ...(finished ? [this.#now()] : []), source, this.#target(operation)],
    );
  }

  /** Finishes every open row of an operation but `except`. */
  async finishRows(
    session: Statements,
    operation: Operation,
    except: string | null,
  ): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.wirekite_progress SET finish_time = ?, start_time = start_time
        WHERE target = ? AND finish_time IS NULL AND source <> ?`,
      [this.#now(), this.#target(operation), except ?? ''],
    );
  }

  /** Every unfinished row was left by a worker that is gone. Throws where one keeps failing. */
  async countRestarts(session: Statements): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.sprocket_move_stream SET stalls = stalls + 1 WHERE plan = ?`,
      [this.#plan],
    );
    for (const operation of ['D', 'CE', 'C'] as const) {
      await session.change(
        `UPDATE ${this.#at}.wirekite_progress SET restarts = restarts + 1, start_time = start_time
          WHERE target = ? AND finish_time IS NULL`,
        [this.#target(operation)],
      );
    }
    const stuck = await session.query(
      `SELECT p.source, p.table_name FROM ${this.#at}.wirekite_progress p
         JOIN ${this.#at}.sprocket_move_file f ON f.file = p.source AND f.plan = ?
        WHERE p.target = ? AND p.finish_time IS NULL AND p.restarts - f.excused > ${MOST_RESTARTS}`,
      [this.#plan, this.#target('D')],
    );
    const [file, table] = stuck[0] ?? [];
    if (typeof file === 'string') {
      throw new MoveError(
        'too-many-restarts',
        `${file} was begun more than ${MOST_RESTARTS} times without coming in. Look at the log of the last run, then reset the pipelines.`,
        table ?? null,
      );
    }
  }

  async stream(session: Statements): Promise<StoredStream | null> {
    const rows = await session.query(
      `SELECT applied, file, changes, source_ms, stalls, cutover FROM ${this.#at}.sprocket_move_stream WHERE plan = ?`,
      [this.#plan],
    );
    const row = rows[0];
    if (row === undefined) return null;
    const [applied, file, changes, sourceMs, stalls, cutover] = row;
    return {
      applied: applied ?? '',
      file: Number(file),
      changes: Number(changes),
      sourceMs: sourceMs === null || sourceMs === undefined ? null : Number(sourceMs),
      stalls: Number(stalls),
      cutover: cutoverSchema.parse(cutover),
    };
  }

  async addStream(session: Statements, applied: string): Promise<void> {
    await session.change(
      `INSERT INTO ${this.#at}.sprocket_move_stream (plan, applied, file, changes, source_ms, stalls, cutover)
       VALUES (?, ?, 0, 0, NULL, 0, 'no')`,
      [this.#plan, applied],
    );
  }

  /** Locks the stream; throws where it is not where this worker left it: then another one goes on with it. */
  async lockStream(session: Statements, applied: string): Promise<void> {
    const rows = await session.query(
      `SELECT applied FROM ${this.#at}.sprocket_move_stream WHERE plan = ? FOR UPDATE`,
      [this.#plan],
    );
    if (rows[0]?.[0] !== applied) {
      throw new MoveError(
        'lost-claim',
        'The changes are applied by another worker meanwhile; this one stops.',
      );
    }
  }

  async setApplied(
    session: Statements,
    applied: string,
    changes: number,
    sourceMs: number | null,
  ): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.sprocket_move_stream SET applied = ?, changes = changes + ${changes}, source_ms = ?, stalls = 0 WHERE plan = ?`,
      [applied, sourceMs === null ? null : String(sourceMs), this.#plan],
    );
  }

  /** A worker got on: takeovers of what is still open are no reason to give up. */
  async forgetStalls(session: Statements): Promise<void> {
    await this.#setStream(session, 'stalls', '0');
    const open = `FROM ${this.#at}.wirekite_progress p WHERE p.source = ${this.#at}.sprocket_move_file.file AND p.target = ? AND p.finish_time IS NULL`;
    await session.change(
      `UPDATE ${this.#at}.sprocket_move_file SET excused = (SELECT p.restarts ${open}) WHERE plan = ? AND EXISTS (SELECT 1 ${open})`,
      [this.#target('D'), this.#plan, this.#target('D')],
    );
  }

  setStreamFile(session: Statements, file: number): Promise<void> {
    return this.#setStream(session, 'file', String(file));
  }

  setCutover(session: Statements, state: StoredStream['cutover']): Promise<void> {
    return this.#setStream(session, 'cutover', state);
  }

  async #setStream(
    session: Statements,
    column: 'stalls' | 'file' | 'cutover',
    value: string,
  ): Promise<void> {
    await session.change(
      `UPDATE ${this.#at}.sprocket_move_stream SET ${column} = ? WHERE plan = ?`,
      [value, this.#plan],
    );
  }

  /** Forgets the plan's progress. */
  async forget(session: Statements): Promise<void> {
    for (const operation of ['D', 'CE', 'C'] as const) {
      await session.change(`DELETE FROM ${this.#at}.wirekite_progress WHERE target = ?`, [
        this.#target(operation),
      ]);
    }
    for (const table of ['sprocket_move_table', 'sprocket_move_file', 'sprocket_move_stream']) {
      await session.change(`DELETE FROM ${this.#at}.${table} WHERE plan = ?`, [this.#plan]);
    }
  }
}
