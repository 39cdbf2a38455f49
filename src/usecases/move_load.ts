/**
 * D: files of a stretch of the key, each with its mark in one transaction. A file is loaded while it is written: a loader
 * that is free begins with it at once, and one that is slower than the source finds it on the disk.
 */
import { qualified } from '../core/catalog/names.ts';
import { firstRows, hasGaps, isNumericKey, nextStride } from '../core/movement/chunks.ts';
import { MoveError, Stopped } from '../core/movement/errors.ts';
import type { Stride } from '../core/movement/chunks.ts';
import type { KeyColumn, TableMapping } from '../core/movement/model.ts';
import { dataFile } from '../core/movement/names.ts';
import type { RowForm, Snapshot, SnapshotReader } from '../ports/move.ts';
import { gated } from './move_control.ts';
import { waitingOf } from './move_context.ts';
import type { MoveContext } from './move_context.ts';
import { keyColumns, loadFile } from './move_load_file.ts';
import type { Begun, LoadTable } from './move_load_file.ts';
import { FileQueue } from './move_queue.ts';
import type { StoredFile } from './move_stored.ts';

const LOADERS = 2;

type LoadQueue = FileQueue<LoadTable, Begun>;

/**
 * Loads what is not loaded yet, and makes the keys and indexes of a table as soon as its rows are in. `exact`: the
 * snapshot's place in the log is wanted, because changes are followed. Throws `Stopped`, `ConnectionLost` or `MoveError`;
 * whatever was committed stays.
 */
export async function loadTables(
  context: MoveContext,
  tables: readonly LoadTable[],
  exact: boolean,
): Promise<void> {
  const { control, source, store, target } = context;
  const open = await store.openFiles(target.statements);
  const todo = tables.filter(({ stored }) => stored.phase === 'created');
  if (todo.length === 0) return;
  const snapshot = await source.snapshot(exact, waitingOf(context));
  const queue = new FileQueue<LoadTable, Begun>();
  const abort = () => {
    queue.fail(new Stopped());
    // A question that takes long is not waited for.
    void snapshot.close();
  };
  control.stopping.addEventListener('abort', abort);
  try {
    const producing = produce(context, todo, open, snapshot, queue);
    const loading = Array.from({ length: LOADERS }, () =>
      consume(context, snapshot, queue, todo.at(-1)),
    );
    await Promise.all(
      [producing, ...loading].map((part) => part.catch((error: unknown) => queue.fail(error))),
    );
    if (queue.failure !== null) throw queue.failure;
  } finally {
    control.stopping.removeEventListener('abort', abort);
    await snapshot.close();
  }
}

async function produce(
  context: MoveContext,
  tables: readonly LoadTable[],
  open: readonly StoredFile[],
  snapshot: Snapshot,
  queue: LoadQueue,
): Promise<void> {
  for (const table of tables) {
    const { number } = table.stored;
    for (const file of open.filter((candidate) => candidate.number === number)) {
      if (queue.failure !== null) return;
      await writeFile(context, table, file, snapshot.reader, queue);
    }
    if (!table.stored.complete) await produceTable(context, table, snapshot.reader, queue);
    queue.push({ table, begun: null });
  }
  queue.end();
}

async function writeFile(
  context: MoveContext,
  table: LoadTable,
  file: StoredFile,
  reader: SnapshotReader,
  queue: LoadQueue,
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const { control, folder } = context;
  const { mapping } = table.stored;
  await control.gate();
  const form = await formOf(context, mapping);
  await queue.room();
  const stream = reader.read(mapping, keyColumns(table), file, form);
  const data = folder.data.write(file.file, gated(stream.pieces, control));
  queue.push({ table, begun: { file, form, data, sent: stream.sent } });
  return { bytes: await data.written, rows: stream.sent() };
}

/** Binary saves both servers from printing and reading every value; the target says whether its table is made for it. */
async function formOf({ source, target }: MoveContext, mapping: TableMapping): Promise<RowForm> {
  const binary = source.dialect === 'postgres' && (await target.takesBinary(mapping));
  return binary ? 'binary' : 'text';
}

/** The stretches of a table that no file covers yet, from where the last run left off. */
async function produceTable(
  context: MoveContext,
  table: LoadTable,
  reader: SnapshotReader,
  queue: LoadQueue,
): Promise<void> {
  const { mapping, number } = table.stored;
  const key = keyColumns(table);
  const rows = firstRows(
    table.source.estimatedRows,
    table.source.estimatedBytes,
    context.plan.chunkBytes,
  );
  const [first] = key;
  const extent =
    first !== undefined && isNumericKey(key) ? await reader.extent(mapping.source, first) : null;
  await assertReadable(table, reader);
  const nulled = await reader.countNulled(mapping);
  if (nulled > 0) {
    await context.store.setNulled(context.target.statements, number, nulled);
    context.events.log(
      `${qualified(mapping.source)}: ${nulled} zero dates become NULL, as the plan says`,
    );
  }

  let { covered, files } = table.stored;
  let stride = { values: BigInt(rows), rows };
  for (;;) {
    if (queue.failure !== null) return;
    const upper = await upperBound(reader, mapping, key, { covered, extent, stride });
    files += 1;
    const file: StoredFile = {
      file: dataFile(mapping.source, files),
      number,
      lower: covered,
      upper,
    };
    await addFile(context, file, mapping, files);
    const held = await writeFile(context, table, file, reader, queue);
    if (upper === null) return;
    covered = upper;
    stride = nextStride(stride, held, context.plan.chunkBytes);
  }
}

/** Looks for values that would arrive as others and be refused by nobody. Throws `MoveError`. */
async function assertReadable(table: LoadTable, reader: SnapshotReader): Promise<void> {
  const { covered, mapping } = table.stored;
  const columns = mapping.columns.map((column) => ({
    ...column,
    refuses: column.refuses.filter(({ silent }) => silent === true),
  }));
  if (columns.every(({ refuses }) => refuses.length === 0)) return;
  const rest = { lower: covered, upper: null };
  const found = await reader.findRefused({ ...mapping, columns }, keyColumns(table), rest);
  if (found !== null)
    throw new MoveError('unrepresentable-value', found, qualified(mapping.source));
}

interface Reach {
  readonly covered: readonly string[] | null;
  /** Least and greatest value of a numeric key; null for an empty table and for other keys. */
  readonly extent: readonly [bigint, bigint] | null;
  readonly stride: Stride;
}

/** Where the next file ends; null where it takes all the rest. */
async function upperBound(
  reader: SnapshotReader,
  mapping: TableMapping,
  key: readonly KeyColumn[],
  { covered, extent, stride }: Reach,
): Promise<readonly string[] | null> {
  if (key.length === 0) return null;
  const ofRows = () => reader.bound(mapping.source, key, covered, stride.rows);
  if (!isNumericKey(key)) return ofRows();
  if (extent === null) return null;
  const [min, max] = extent;
  const end = (covered?.[0] === undefined ? min - 1n : BigInt(covered[0])) + stride.values;
  const full = hasGaps(stride) ? (await ofRows())?.[0] : undefined;
  const upper = full !== undefined && BigInt(full) < end ? BigInt(full) : end;
  return upper >= max ? null : [upper.toString()];
}

async function addFile(
  context: MoveContext,
  file: StoredFile,
  mapping: TableMapping,
  files: number,
): Promise<void> {
  const transaction = await context.target.begin();
  try {
    await context.store.addFile(transaction, file, mapping, files);
    await transaction.commit();
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

async function consume(
  context: MoveContext,
  snapshot: Snapshot,
  queue: LoadQueue,
  last: LoadTable | undefined,
): Promise<void> {
  const { store, target } = context;
  for (let next = await queue.next(); next !== null; next = await queue.next()) {
    const { table, begun } = next;
    if (begun === null) {
      if (await queue.isIn(table)) await index(context, table, table === last);
      continue;
    }
    await loadFile(context, table, begun, snapshot.position);
    if (queue.loaded === 0) await store.forgetStalls(target.statements);
    queue.settle(table);
  }
}

/**
 * Keys and indexes. While other tables are still loaded, procedures may read this one: all of them are as they were in
 * one moment. After the last one they are first brought to one state together.
 */
async function index(
  { control, pipelines, store, target }: MoveContext,
  { source, stored }: LoadTable,
  isLast: boolean,
): Promise<void> {
  await control.gate();
  await target.addKeyAndIndexes(stored.mapping, control.stopping);
  await store.setPhase(target.statements, stored.number, 'indexed');
  if (!isLast) await pipelines.loaded(target.statements, qualified(source.name));
}
