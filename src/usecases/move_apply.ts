/** C: `.ckt` files into the target, whole source transactions, each batch with its mark in one transaction. */
import { z } from 'zod';
import { qualified } from '../core/catalog/names.ts';
import type { ChangeRecord, RowChange } from '../core/movement/changes.ts';
import { decodeRecord } from '../core/movement/changes.ts';
import { MoveError, Stopped } from '../core/movement/errors.ts';
import type { ColumnMapping, TableMapping } from '../core/movement/model.ts';
import { changeFile } from '../core/movement/names.ts';
import { netChanges } from '../core/movement/net.ts';
import { positionOrder } from '../core/movement/position.ts';
import { keyPlaces } from '../core/movement/row.ts';
import { fromBinary } from '../core/movement/wire.ts';
import type { TargetTransaction } from '../ports/move.ts';
import { ConnectionLost } from '../ports/move.ts';
import type { MoveContext } from './move_context.ts';
import type { Extract } from './move_extract.ts';
import type { StoredTable } from './move_stored.ts';

/** What is read and netted at once: bounds memory, whatever a source transaction holds. */
const SLICE_BYTES = 1024 * 1024;

const addedSchema = z.object({
  column: z.custom<ColumnMapping>(
    (value) => z.object({ source: z.string() }).safeParse(value).success,
  ),
  missing: z.string().nullable(),
});

/** A table as the applier sees it. */
interface Applied {
  readonly number: number;
  mapping: TableMapping;
  readonly loadedAt: string | null;
}

/** The words of a server name a key or a column, and seldom the table. */
function refused(error: unknown, { source }: TableMapping): unknown {
  if (error instanceof MoveError || error instanceof ConnectionLost) return error;
  const table = qualified(source);
  const words = error instanceof Error ? error.message : 'unknown error';
  return new MoveError(
    'unrepresentable-value',
    `${table}: the target refused a change: ${words}`,
    table,
  );
}

export class ChangeApplier {
  readonly #context: MoveContext;
  readonly #extract: Extract;
  readonly #tables: Map<number, Applied>;
  #transaction: TargetTransaction | null = null;
  #applied: string;
  #file: number;
  #offset = 0;
  #record = 0;
  #changes = 0;
  #sourceMs: number | null = null;
  #began: string | null = null;
  #rest = '';

  constructor(
    context: MoveContext,
    extract: Extract,
    tables: readonly StoredTable[],
    applied: string,
    file: number,
  ) {
    this.#context = context;
    this.#extract = extract;
    this.#tables = new Map(
      tables.map(({ number, mapping, loadedAt }) => [number, { number, mapping, loadedAt }]),
    );
    this.#applied = applied;
    this.#file = file;
  }

  /** Position of the last source transaction that is in the target. */
  applied(): string {
    return this.#applied;
  }

  /** True where nothing that the log is known to hold is missing in the target. */
  drained(): boolean {
    return this.#applied === this.#extract.durable().position;
  }

  /**
   * Applies what there is; returns when there is no more, maybe in the middle of a transaction. What was applied of that
   * one is taken back at STOP.
   */
  async catchUp(): Promise<void> {
    const { control, folder } = this.#context;
    try {
      for (let to = this.#available(); to > this.#offset; to = this.#available()) {
        if (control.action() !== 'RUN') await control.gate();
        const end = Math.min(to, this.#offset + SLICE_BYTES);
        const text = this.#rest + (await folder.changes.read(this.#file, this.#offset, end));
        this.#offset = end;
        const lastLine = text.lastIndexOf('\n');
        this.#rest = text.slice(lastLine + 1);
        if (lastLine !== -1)
          await this.#slice(text.slice(0, lastLine).split('\n').map(decodeRecord));
      }
    } catch (error) {
      await this.abandon();
      throw error;
    }
    if (this.drained()) this.#extract.acknowledge(this.#extract.seen());
  }

  /** Takes back what was applied of a transaction whose end did not come. */
  async abandon(): Promise<void> {
    const open = this.#transaction;
    this.#transaction = null;
    await open?.rollback();
  }

  /** Bytes of the present file that may be applied; moves on to the next file at its end. */
  #available(): number {
    const { file, bytes } = this.#extract.readable();
    return this.#file < file ? (this.#extract.finished(this.#file) ?? 0) : bytes;
  }

  /** Ends the present file if it is applied whole and another one follows. */
  async nextFile(): Promise<boolean> {
    const { folder, store, target } = this.#context;
    if (this.#file >= this.#extract.readable().file) return false;
    if (this.#offset < (this.#extract.finished(this.#file) ?? Infinity)) return false;
    const transaction = await target.begin();
    try {
      await store.setMark(transaction, changeFile(this.#file), 'C', String(this.#record), true);
      await store.beginRow(transaction, changeFile(this.#file + 1), 'C', null, '0');
      await store.setStreamFile(transaction, this.#file + 1);
      await transaction.commit();
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await folder.changes.remove(this.#file);
    this.#file += 1;
    this.#offset = 0;
    this.#record = 0;
    return true;
  }

  /** A new column is taken in between what comes before and after it. */
  async #slice(records: readonly ChangeRecord[]): Promise<void> {
    const at = records.findIndex((record) => record.kind === 'add-column');
    const added = records[at];
    await this.#part(at === -1 ? records : records.slice(0, at));
    if (added?.kind !== 'add-column') return;
    this.#record += 1;
    await this.#addColumn(this.#table(added.table), added.mapping);
    await this.#slice(records.slice(at + 1));
  }

  async #part(records: readonly ChangeRecord[]): Promise<void> {
    const lastCommit = records.findLastIndex((record) => record.kind === 'commit');
    await this.#apply(records.slice(0, lastCommit + 1));
    const commit = records[lastCommit];
    if (commit?.kind === 'commit') await this.#commit(commit.position);
    // The rest belongs to a transaction that ends in a later slice; it stays open until then.
    await this.#apply(records.slice(lastCommit + 1));
  }

  async #open(): Promise<TargetTransaction> {
    if (this.#transaction !== null) return this.#transaction;
    const { store, target } = this.#context;
    const transaction = await target.begin();
    try {
      await store.lockStream(transaction, this.#applied);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    this.#transaction = transaction;
    return transaction;
  }

  async #commit(position: string): Promise<void> {
    const { events, store } = this.#context;
    const transaction = await this.#open();
    await store.setApplied(transaction, position, this.#changes, this.#sourceMs);
    await store.setMark(transaction, changeFile(this.#file), 'C', String(this.#record), false);
    await transaction.commit();
    this.#transaction = null;
    this.#applied = position;
    this.#extract.acknowledge(position);
    events.progress({ kind: 'changes', table: '', count: this.#changes });
    this.#changes = 0;
  }

  async #apply(records: readonly ChangeRecord[]): Promise<void> {
    let rows = new Map<number, RowChange[]>();
    const truncated = new Set<number>();
    const flush = async () => {
      for (const number of new Set([...truncated, ...rows.keys()])) {
        await this.#applyTable(this.#table(number), truncated.has(number), rows.get(number) ?? []);
      }
      rows = new Map();
      truncated.clear();
    };
    for (const record of records) {
      this.#record += 1;
      switch (record.kind) {
        case 'begin':
          this.#began = record.position;
          this.#sourceMs = record.time;
          break;
        case 'commit':
          this.#began = null;
          break;
        case 'truncate':
          if (this.#skips(this.#table(record.table))) break;
          // What was changed before is gone with it.
          rows.delete(record.table);
          truncated.add(record.table);
          break;
        case 'add-column':
          break;
        default: {
          if (this.#skips(this.#table(record.table))) break;
          const list = rows.get(record.table);
          if (list === undefined) rows.set(record.table, [record]);
          else list.push(record);
          this.#changes += 1;
        }
      }
    }
    await flush();
  }

  #table(number: number): Applied {
    const table = this.#tables.get(number);
    if (table === undefined) {
      throw new MoveError(
        'corrupt-file',
        `${changeFile(this.#file)} names table ${number}, which the plan does not have.`,
      );
    }
    return table;
  }

  /** A table without a key has no way to take a change twice: what its load saw is left out. */
  #skips(table: Applied): boolean {
    return (
      table.loadedAt !== null &&
      this.#began !== null &&
      positionOrder(this.#began) < positionOrder(table.loadedAt)
    );
  }

  async #applyTable(
    table: Applied,
    truncate: boolean,
    changes: readonly RowChange[],
  ): Promise<void> {
    const transaction = await this.#open();
    const { control } = this.#context;
    if (truncate) await transaction.apply(table.mapping, { kind: 'truncate' });
    for (const step of netChanges(changes, { key: keyPlaces(table.mapping) })) {
      if (control.action() === 'STOP') throw new Stopped();
      try {
        await transaction.apply(table.mapping, step);
      } catch (error) {
        throw refused(error, table.mapping);
      }
    }
  }

  async #addColumn(table: Applied, json: string): Promise<void> {
    const { store, target } = this.#context;
    const { column, missing } = addedSchema.parse(JSON.parse(fromBinary(json)));
    if (table.mapping.columns.some((known) => known.source === column.source)) return;
    const mapping = { ...table.mapping, columns: [...table.mapping.columns, column] };
    if (!target.capabilities.transactionalDdl && this.#transaction !== null) {
      // DDL ends a transaction there. What was applied of it is applied again after a crash, which its keys allow.
      const open = this.#transaction;
      this.#transaction = null;
      await open.commit();
    }
    const open = await this.#open();
    await open.addColumn(mapping, column.source, missing);
    await store.setMapping(open, table.number, mapping);
    table.mapping = mapping;
    this.#context.events.log(`${qualified(mapping.target)}: column ${column.target} added`);
  }
}
