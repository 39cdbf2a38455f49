/** One file into the target: its rows and its mark in one transaction, and why the target refused it. */
import { qualified } from '../core/catalog/names.ts';
import { MoveError, Stopped } from '../core/movement/errors.ts';
import type { KeyColumn, KeyRange, MovedTable } from '../core/movement/model.ts';
import type { RowForm, TargetTransaction } from '../ports/move.ts';
import { ConnectionLost } from '../ports/move.ts';
import type { DataFile } from '../ports/spool.ts';
import { waitingOf } from './move_context.ts';
import type { MoveContext } from './move_context.ts';
import { gated } from './move_control.ts';
import type { StoredFile, StoredTable } from './move_stored.ts';

export interface LoadTable {
  readonly stored: StoredTable;
  readonly source: MovedTable;
}

export interface Begun {
  readonly file: StoredFile;
  readonly form: RowForm;
  readonly data: DataFile;
  /** Rows that the source sent; known once the file is written. */
  readonly sent: () => number;
}

export function keyColumns(table: LoadTable): readonly KeyColumn[] {
  return table.stored.mapping.key.flatMap((name) => {
    const column = table.source.columns.find((candidate) => candidate.name === name);
    return column === undefined ? [] : [{ name, baseType: column.baseType, type: column.type }];
  });
}

export async function loadFile(
  context: MoveContext,
  table: LoadTable,
  begun: Begun,
  position: string | null,
): Promise<void> {
  const { control, events, store, target } = context;
  const { data, file } = begun;
  const { mapping } = table.stored;
  await control.gate();
  const transaction = await target.begin();
  const abort = () => void transaction.rollback();
  control.stopping.addEventListener('abort', abort);
  try {
    await store.lockRow(transaction, file.file, 'D');
    const rows = await loadInto(context, transaction, table, begun);
    if (mapping.key.length === 0 && position !== null) {
      await store.setLoadedAt(transaction, table.stored.number, position);
    }
    await store.setMark(transaction, file.file, 'D', String(rows), true);
    await transaction.commit();
    events.progress({ kind: 'rows', table: qualified(mapping.target), count: rows });
  } catch (error) {
    await transaction.rollback();
    if (control.stopping.aborted) throw new Stopped();
    throw error;
  } finally {
    control.stopping.removeEventListener('abort', abort);
  }
  await data.remove();
}

/** Resolves to the rows that came in, which are those that went out. */
async function loadInto(
  context: MoveContext,
  transaction: TargetTransaction,
  table: LoadTable,
  begun: Begun,
): Promise<number> {
  const { data, file, form } = begun;
  const { mapping } = table.stored;
  let loaded: number;
  try {
    loaded = await transaction.load(mapping, gated(data.read(), context.control), form);
  } catch (error) {
    if (data.failure() !== null) throw data.failure();
    if (
      error instanceof Stopped ||
      error instanceof ConnectionLost ||
      context.control.stopping.aborted
    )
      throw error;
    throw await refusal(context, table, file, error);
  }
  await data.written;
  if (loaded !== begun.sent()) {
    throw new MoveError(
      'rows-differ',
      `${file.file}: ${begun.sent()} rows went out, ${loaded} came in. The file was rolled back; run again.`,
      qualified(mapping.target),
    );
  }
  return loaded;
}

/** Why the target refused a file: the first value that it can't hold, else its own words. */
async function refusal(
  context: MoveContext,
  table: LoadTable,
  range: KeyRange,
  error: unknown,
): Promise<unknown> {
  if (error instanceof MoveError) return error;
  const { mapping } = table.stored;
  const words = error instanceof Error ? error.message : 'unknown error';
  const snapshot = await context.source.snapshot(false, waitingOf(context));
  try {
    const found = await snapshot.reader.findRefused(mapping, keyColumns(table), range);
    return new MoveError(
      'unrepresentable-value',
      found ?? `${qualified(mapping.source)}: the target refused a row: ${words}`,
      qualified(mapping.source),
    );
  } finally {
    await snapshot.close();
  }
}
