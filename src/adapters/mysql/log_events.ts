/** Events of a binary log as whole source transactions. */
import { qualified } from '../../core/catalog/names.ts';
import type { QualifiedName } from '../../core/catalog/types.ts';
import { MoveError } from '../../core/movement/errors.ts';
import type { TableMapping } from '../../core/movement/model.ts';
import { parseBinlogPosition } from '../../core/movement/position.ts';
import type { LoggedRow, RowEncoder } from '../../core/movement/row.ts';
import { rowEncoder } from '../../core/movement/row.ts';
import type { TableStatement } from '../../core/movement/statement.ts';
import { concerns, tableStatement } from '../../core/movement/statement.ts';
import { movedColumns } from '../../core/movement/types/map.ts';
import type { ChangeSink, FollowedTable } from '../../ports/move.ts';
import type { Cascade } from './cascades.ts';
import { CascadeWatch } from './cascades.ts';
import { assertWholeRows, DONE, loggedAsStatement } from './log_refusals.ts';
import { loggedColumns, rowReader } from './log_texts.ts';
import type { CharactersOf, LoggedColumn } from './log_texts.ts';
import type { SameTable } from './sql.ts';

/** What every event of the decoder has; the rest is looked at by its kind. */
export interface LogEvent {
  readonly timestamp: number;
  /** 0 inside of a transaction (MariaDB). */
  readonly nextPosition: number;
  readonly size: number;
  getEventName(): string;
}

/** What the source is asked besides its log. */
export interface Questions {
  /** The columns that a table has now, in order. */
  readonly namesNow: (mapping: TableMapping) => Promise<readonly string[]>;
  readonly charactersOf: CharactersOf;
}

/** What to look for in a log. */
export interface FollowedTables {
  readonly tables: readonly FollowedTable[];
  readonly cascades: readonly Cascade[];
  readonly same: SameTable;
}

interface Known {
  readonly table: FollowedTable;
  readonly names: readonly string[];
  readonly read: (row: unknown) => LoggedRow;
  readonly encoder: RowEncoder;
}

/** As servers write them into the log, whatever the client said. */
const SAVEPOINT = /^(?:SAVEPOINT|(ROLLBACK TO)) (.+)$/is;

const field = (event: LogEvent, name: string): unknown => Reflect.get(event, name);
const textField = (event: LogEvent, name: string) => String(field(event, name) ?? '');

/** Handles one event after the other; a promise holds the log back. */
export function eventHandler(
  tables: FollowedTables,
  sink: ChangeSink,
  from: string,
  questions: Questions,
): (event: LogEvent) => void | Promise<void> {
  return new EventReader(tables, sink, from, questions).handle;
}

class EventReader {
  readonly #tables: readonly FollowedTable[];
  readonly #same: SameTable;
  readonly #cascades: CascadeWatch;
  readonly #sink: ChangeSink;
  readonly #questions: Questions;
  /** By the number that the log gives a table until it changes. */
  readonly #known = new Map<number, Known>();
  #file: string;
  #offset: number;
  #open = false;
  /** A group of one statement, which has no commit of its own. */
  #standalone = false;

  constructor(
    { tables, cascades, same }: FollowedTables,
    sink: ChangeSink,
    from: string,
    questions: Questions,
  ) {
    this.#tables = tables;
    this.#same = same;
    this.#cascades = new CascadeWatch(cascades, same);
    this.#sink = sink;
    this.#questions = questions;
    const start = parseBinlogPosition(from);
    this.#file = start.file;
    this.#offset = start.offset;
  }

  handle = (event: LogEvent): void | Promise<void> => {
    switch (event.getEventName()) {
      case 'rotate':
        return this.#rotate(event);
      case 'mariadbgtid':
        this.#standalone = field(event, 'standalone') === true;
        return this.#begin(event);
      case 'gtid':
      case 'anonymousgtid':
        return this.#begin(event);
      case 'query':
        return this.#query(event);
      case 'xid':
        return this.#commit(event);
      case 'xaprepare':
        throw new MoveError(
          'not-configured',
          'The source runs XA transactions, which this version does not follow. Load without changes, or keep XA off the followed tables.',
        );
      case 'tablemap':
        return this.#tableMap(event);
      case 'writerows':
      case 'updaterows':
      case 'deleterows':
        return this.#rows(event);
      default:
        return this.#open ? undefined : this.#idle(event);
    }
  };

  #position(offset: number = this.#offset): string {
    return `${this.#file}:${offset}`;
  }

  /** Events that a server makes up for a new session carry places before the one that was asked for. */
  #advance(event: LogEvent): boolean {
    if (event.nextPosition <= this.#offset) return false;
    this.#offset = event.nextPosition;
    return true;
  }

  #rotate(event: LogEvent): void {
    const file = textField(event, 'binlogName');
    if (file === this.#file) return;
    this.#file = file;
    this.#offset = Number(field(event, 'position'));
  }

  #idle(event: LogEvent): void {
    if (this.#advance(event)) this.#sink.idle(this.#position());
  }

  #begin(event: LogEvent): void {
    if (this.#open) return;
    this.#open = true;
    const start = event.nextPosition > 0 ? event.nextPosition - event.size : this.#offset;
    this.#sink.begin(this.#position(start), event.timestamp);
  }

  #commit(event: LogEvent): void | Promise<void> {
    this.#open = false;
    this.#standalone = false;
    this.#advance(event);
    return this.#sink.commit(this.#position());
  }

  /** The columns that were learnt in it are learnt again. */
  #rollbackTo(savepoint: string | null): void | Promise<void> {
    this.#known.clear();
    return this.#sink.rollback(savepoint);
  }

  async #rollback(event: LogEvent): Promise<void> {
    await this.#rollbackTo(null);
    await this.#commit(event);
  }

  #query(event: LogEvent): void | Promise<void> {
    const sql = textField(event, 'query').trim();
    const verb = sql.slice(0, 12).toUpperCase();
    if (verb === 'BEGIN') return this.#begin(event);
    if (verb === 'COMMIT') return this.#commit(event);
    // Logged where it could not be left out, as where a temporary table was made meanwhile. Rows of tables without
    // transactions are not in it: a row log has them in groups of their own.
    if (verb === 'ROLLBACK') return this.#rollback(event);
    const [, back, savepoint] = SAVEPOINT.exec(sql) ?? [];
    if (savepoint !== undefined) {
      const name = savepoint.toLowerCase();
      return back === undefined ? this.#sink.savepoint(name) : this.#rollbackTo(name);
    }
    const statement = tableStatement(sql, textField(event, 'schema'));
    const followed = this.#tables.filter(
      ({ mapping }) => statement !== null && concerns(statement, mapping.source, this.#same),
    );
    if (statement === null || followed.length === 0) {
      // A lone statement is its own transaction; inside of one it says nothing about our tables.
      return this.#standalone || !this.#open ? this.#commit(event) : undefined;
    }
    this.#begin(event);
    return this.#statement(statement, followed, event);
  }

  async #statement(
    statement: TableStatement,
    followed: readonly FollowedTable[],
    event: LogEvent,
  ): Promise<void> {
    for (const table of followed) {
      if (statement.kind === 'truncate') this.#sink.truncate(table.number);
      else if (statement.kind === 'write') throw loggedAsStatement(table);
      else if (statement.kind === 'alter') await this.#altered(table, statement);
      else this.#sink.ddl(table.number, DONE[statement.kind]);
    }
    await this.#commit(event);
  }

  async #altered(table: FollowedTable, { dropped }: TableStatement): Promise<void> {
    const lost = movedColumns(table.mapping).filter(({ source }) =>
      dropped.includes(source.toLowerCase()),
    );
    if (lost.length > 0)
      this.#sink.ddl(
        table.number,
        `altered (column ${lost.map(({ source }) => source).join(', ')} is gone or renamed)`,
      );
    await this.#sink.columns(table.number, await this.#questions.namesNow(table.mapping));
    this.#forget(table);
  }

  #followed(name: QualifiedName): FollowedTable | undefined {
    return this.#tables.find(({ mapping }) => this.#same(mapping.source, name));
  }

  #forget(table: FollowedTable): void {
    for (const [id, known] of this.#known) if (known.table === table) this.#known.delete(id);
  }

  #tableMap(event: LogEvent): void | Promise<void> {
    const name = { schema: textField(event, 'schemaName'), name: textField(event, 'tableName') };
    const id = Number(field(event, 'tableId'));
    this.#cascades.learn(id, name);
    const table = this.#followed(name);
    if (table === undefined) return undefined;
    const columns = loggedColumns(event);
    if (columns === null)
      throw new RangeError(
        `the log does not name the columns of ${qualified(table.mapping.source)}`,
      );
    const names = columns.map((column) => column.name);
    const known = this.#known.get(id);
    if (known !== undefined && known.names.join('\0') === names.join('\0')) return undefined;
    return this.#learn(id, table, columns);
  }

  async #learn(id: number, table: FollowedTable, columns: readonly LoggedColumn[]): Promise<void> {
    const names = columns.map((column) => column.name);
    const mapping = await this.#sink.columns(table.number, names);
    const read = await rowReader(table.mapping, columns, this.#questions.charactersOf);
    this.#known.set(id, { table, names, read, encoder: rowEncoder(mapping, names) });
  }

  #rows(event: LogEvent): void | Promise<void> {
    const id = Number(field(event, 'tableId'));
    const known = this.#known.get(id);
    const kind = event.getEventName();
    const rows: unknown = field(event, 'rows');
    if (!Array.isArray(rows) || (known === undefined && !this.#cascades.watches(id)))
      throw new RangeError('the log has rows of a table that it did not describe');
    this.#cascades.check(id, kind, Number(field(event, 'flags')), rows);
    if (known === undefined) return undefined;
    assertWholeRows(event, known.table, known.names);
    let waiting: void | Promise<void> = undefined;
    for (const row of rows) {
      const next = this.#row(kind, known, row);
      if (next !== undefined) waiting = waiting === undefined ? next : waiting.then(() => next);
    }
    return waiting;
  }

  #row(kind: string, { table, read, encoder }: Known, row: unknown): void | Promise<void> {
    if (kind === 'writerows') {
      return this.#sink.change(table.number, 'insert', null, encoder.row(read(row)));
    }
    if (kind === 'deleterows') {
      return this.#sink.change(table.number, 'delete', encoder.identity(read(row)), null);
    }
    const before = read(Reflect.get(Object(row), 'before'));
    const after = read(Reflect.get(Object(row), 'after'));
    const old = encoder.identity(before);
    // The log always has the whole old row; most updates leave the key as it was.
    const same = table.mapping.key.length > 0 && old === encoder.identity(after);
    return this.#sink.change(table.number, 'update', same ? null : old, encoder.row(after));
  }
}
