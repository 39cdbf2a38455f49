/** CE: the source's log into `.ckt` files, whole transactions, in commit order. */
import { qualified } from '../core/catalog/names.ts';
import { Bell } from '../core/movement/bell.ts';
import type { ChangeRecord } from '../core/movement/changes.ts';
import { encodeRecord } from '../core/movement/changes.ts';
import { convertValue } from '../core/movement/convert.ts';
import type { MoveError } from '../core/movement/errors.ts';
import { schemaChanged } from '../core/movement/errors.ts';
import { mapTable, movedColumns } from '../core/movement/types/map.ts';
import type { Pipeline, TableMapping } from '../core/movement/model.ts';
import { toBinary } from '../core/movement/wire.ts';
import type { ChangeSink, ChangeStream, FollowedTable } from '../ports/move.ts';
import type { MoveContext } from './move_context.ts';

const FLUSH_BYTES = 256 * 1024;
const ROLL_BYTES = 64 * 1024 * 1024;

/** Everything of `file` before `bytes`, and earlier files whole. */
interface Written {
  readonly file: number;
  readonly bytes: number;
}

interface Durable extends Written {
  /** Commit position of the last transaction in it. */
  readonly position: string;
}

export interface Extract {
  durable(): Durable;
  /**
   * What may be applied. A large transaction is applied while the rest of it is still read, as the log has only what
   * was committed; a log that takes back waits for the end of each.
   */
  readable(): Written;
  /** Length of a file that is finished; undefined for the one being written. */
  finished(file: number): number | undefined;
  /** Up to here the log was seen, and holds nothing for us after `durable().position`. */
  seen(): string;
  /** Resolves when any of these changes. */
  changed(): Promise<void>;
  acknowledge(position: string): void;
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

export async function startExtract(
  context: MoveContext,
  tables: readonly FollowedTable[],
  from: string,
  firstFile: number,
): Promise<Extract> {
  const writer = new ChangeWriter(context, tables, from, firstFile);
  const stream = await context.source.follow(context.plan.name, from, tables, writer.sink());
  writer.attach(stream);
  return writer;
}

class ChangeWriter implements Extract {
  readonly #context: MoveContext;
  readonly #mappings: Map<number, TableMapping>;
  readonly #finished = new Map<number, number>();
  #lines: string[] = [];
  #pendingBytes = 0;
  #begin: ChangeRecord | null = null;
  #open = false;
  /** Where the open transaction and its savepoints begin in the file. */
  #start = 0;
  readonly #savepoints = new Map<string, number>();
  /** Mappings as they were when it began. */
  #before: ReadonlyMap<number, TableMapping> | null = null;
  #file: number;
  #written = 0;
  #appended: Written;
  #committed: Durable;
  #durable: Durable;
  /** Read up to here, though what was read last may not be durable yet. */
  #read: string;
  #flushing: Promise<void> | null = null;
  #stream: ChangeStream | null = null;
  #failure: unknown = null;
  #fail: (error: unknown) => void = () => undefined;
  readonly #bell = new Bell();
  readonly broken = new Promise<never>((_, reject) => (this.#fail = reject));

  constructor(
    context: MoveContext,
    tables: readonly FollowedTable[],
    from: string,
    firstFile: number,
  ) {
    this.#context = context;
    this.#mappings = new Map(tables.map(({ number, mapping }) => [number, mapping]));
    this.#file = firstFile;
    this.#committed = { file: firstFile, bytes: 0, position: from };
    this.#durable = this.#committed;
    this.#appended = this.#committed;
    this.#read = from;
    this.broken.catch(() => undefined);
  }

  attach(stream: ChangeStream): void {
    this.#stream = stream;
    stream.broken.catch((error: unknown) => this.#break(error));
  }

  durable = () => this.#durable;
  readable = () => (this.#context.source.takesBack ? this.#durable : this.#appended);
  finished = (file: number) => this.#finished.get(file);
  // While a transaction waits for its flush, nothing after the durable part counts as seen: it would be acknowledged.
  seen = () => (this.#committed === this.#durable ? this.#read : this.#durable.position);
  changed = () => this.#bell.next();
  acknowledge = (position: string) => this.#stream?.acknowledge(position);

  async stop(): Promise<void> {
    this.#failure ??= new Error('stopped');
    await this.#stream?.stop();
    await this.#flushing?.catch(() => undefined);
  }

  #break(error: unknown): void {
    this.#failure ??= error;
    this.#fail(error);
  }

  #write(record: ChangeRecord): void {
    const line = encodeRecord(record);
    this.#lines.push(line);
    this.#pendingBytes += line.length + 1;
  }

  /** The beginning is written with the first change: most of a log is about other tables. */
  #enter(): void {
    if (this.#open || this.#begin === null) return;
    this.#start = this.#written + this.#pendingBytes;
    this.#write(this.#begin);
    this.#open = true;
  }

  #full(): void | Promise<void> {
    if (this.#pendingBytes < FLUSH_BYTES) return undefined;
    return this.#flushing === null ? this.#append() : this.#flushing.then(() => this.#append());
  }

  async #append(): Promise<void> {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#pendingBytes = 0;
    this.#written += text.length;
    await this.#context.folder.changes.append(this.#file, text);
    this.#appended = { file: this.#file, bytes: this.#written };
    this.#bell.ring();
  }

  /** Takes back what was written after `to`, which is in the present file: a transaction is in one. */
  async #cut(to: number): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
    while (this.#lines.length > 0 && this.#written + this.#pendingBytes > to)
      this.#pendingBytes -= (this.#lines.pop() ?? '').length + 1;
    if (this.#written <= to) return;
    await this.#context.folder.changes.truncate(this.#file, to);
    this.#written = to;
  }

  async #rollback(savepoint: string | null): Promise<void> {
    if (!this.#open) return;
    const to = savepoint === null ? this.#start : (this.#savepoints.get(savepoint) ?? this.#start);
    await this.#cut(to);
    if (to <= this.#start) this.#open = false;
    for (const [table, mapping] of this.#before ?? []) this.#mappings.set(table, mapping);
  }

  /** One flush at a time; what is committed meanwhile goes with the next. */
  #flushSoon(): void {
    if (this.#flushing !== null || this.#failure !== null) return;
    this.#flushing = this.#flush()
      .catch((error: unknown) => this.#break(error))
      .finally(() => {
        this.#flushing = null;
        if (this.#committed !== this.#durable) this.#flushSoon();
      });
  }

  async #flush(): Promise<void> {
    const goal = this.#committed;
    await this.#append();
    await this.#context.folder.changes.sync(goal.file);
    this.#durable = goal;
    this.#bell.ring();
    if (
      goal.file === this.#file &&
      !this.#open &&
      this.#pendingBytes === 0 &&
      this.#written > ROLL_BYTES
    ) {
      this.#finished.set(this.#file, this.#written);
      this.#file += 1;
      this.#written = 0;
      this.#appended = { file: this.#file, bytes: 0 };
    }
  }

  sink(): ChangeSink {
    return {
      begin: (position, time) => {
        this.#begin = { kind: 'begin', position, time };
        this.#before = null;
        this.#savepoints.clear();
      },
      change: (table, kind, old, row) => {
        this.#enter();
        this.#write({ kind, table, old, row });
        return this.#full();
      },
      truncate: (table) => {
        this.#enter();
        this.#write({ kind: 'truncate', table });
      },
      columns: (table, names) => this.#columns(table, names),
      ddl: (table, what) => {
        throw this.#schemaChanged(table, what);
      },
      commit: (position) => {
        this.#begin = null;
        if (!this.#open) {
          this.#idle(position);
          return undefined;
        }
        this.#write({ kind: 'commit', position });
        this.#open = false;
        this.#committed = { file: this.#file, bytes: this.#written + this.#pendingBytes, position };
        this.#read = position;
        this.#flushSoon();
        return this.#full();
      },
      savepoint: (name) => this.#savepoints.set(name, this.#written + this.#pendingBytes),
      rollback: (savepoint) => this.#rollback(savepoint),
      idle: (position) => this.#idle(position),
    };
  }

  #idle(position: string): void {
    if (position === this.#read) return;
    this.#read = position;
    this.#bell.ring();
  }

  #schemaChanged(table: number, what: string): MoveError {
    return schemaChanged(this.#mapping(table).source, what);
  }

  #mapping(table: number): TableMapping {
    const mapping = this.#mappings.get(table);
    if (mapping === undefined) throw new RangeError(`no table ${table} is followed`);
    return mapping;
  }

  /** Takes added columns along; anything else that changed ends the following. */
  async #columns(table: number, names: readonly string[]): Promise<TableMapping> {
    const mapping = this.#mapping(table);
    const known = movedColumns(mapping).map((column) => column.source);
    const gone = known.filter((name) => !names.includes(name));
    if (gone.length > 0)
      throw this.#schemaChanged(table, `altered (column ${gone.join(', ')} is gone or renamed)`);
    const described = await this.#context.source.describe(mapping.source, false);
    if (described === null) throw this.#schemaChanged(table, 'dropped or renamed');
    for (const column of movedColumns(mapping)) {
      const now = described.columns.find((candidate) => candidate.name === column.source);
      if (typeof column.place === 'number' && now !== undefined && now.place !== column.place)
        throw this.#schemaChanged(table, `altered (${column.source} is now another column)`);
      if (now !== undefined && now.type !== column.sourceType) {
        throw this.#schemaChanged(
          table,
          `altered (${column.source} is ${now.type}, was ${column.sourceType})`,
        );
      }
    }
    const added = names.filter((name) => !mapping.columns.some((column) => column.source === name));
    return added.length === 0 ? mapping : this.#added(table, mapping, added);
  }

  async #added(
    table: number,
    mapping: TableMapping,
    added: readonly string[],
  ): Promise<TableMapping> {
    const described = await this.#context.source.describe(mapping.source, true);
    const fresh = described?.columns.filter((column) => added.includes(column.name)) ?? [];
    if (described === null || fresh.length < added.length) {
      throw this.#schemaChanged(table, `altered (column ${added.join(', ')} came and went)`);
    }
    const { source, target, plan } = this.#context;
    const pipeline: Pipeline = {
      source: mapping.source,
      target: mapping.target,
      key: mapping.key,
      follow: true,
    };
    const same = source.dialect === target.dialect;
    const types = same
      ? await target.hasTypes(fresh.map((column) => column.type))
      : new Set<string>();
    const whole = mapTable({ ...described, columns: [...described.columns] }, pipeline, {
      source: source.dialect,
      target: target.dialect,
      zeroDates: plan.zeroDates,
      exactCollation: target.capabilities.exactCollation,
      targetHasType: (type) => types.has(type),
    });
    let extended = mapping;
    for (const column of fresh) {
      const added = whole.columns.find((candidate) => candidate.source === column.name);
      if (added === undefined) continue;
      if (!column.missingKnown || (!column.nullable && column.missingValue === null)) {
        throw this.#schemaChanged(
          table,
          `altered (column ${column.name} was added with a default that is no constant)`,
        );
      }
      const missing =
        column.missingValue === null
          ? null
          : convertValue(added.convert, added.argument, column.missingValue);
      extended = { ...extended, columns: [...extended.columns, added] };
      this.#enter();
      this.#write({
        kind: 'add-column',
        table,
        mapping: toBinary(JSON.stringify({ column: added, missing })),
      });
      this.#context.events.log(
        `${qualified(mapping.source)}: column ${column.name} was added and is taken along`,
      );
    }
    this.#before ??= new Map(this.#mappings);
    this.#mappings.set(table, extended);
    return extended;
  }
}
