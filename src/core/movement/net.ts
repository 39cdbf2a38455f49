/**
 * Many changes of one table as few statements: the last image of each key is what counts.
 *
 * True only where nothing but the key is unique in the target, or at a transaction boundary. The
 * target has no other unique index while changes are applied: those come at cutover.
 */
import type { Fields, RowChange } from './changes.ts';
import { UNCHANGED } from './changes.ts';

export type Step =
  | { readonly kind: 'truncate' }
  | {
      readonly kind: 'net';
      /** Keys. */
      readonly deletes: readonly Fields[];
      /** Whole rows. */
      readonly upserts: readonly Fields[];
      /** Rows with values left out: only the others are set. */
      readonly patches: readonly Fields[];
    }
  /** The key changed, and values were left out: only an UPDATE can keep them. */
  | { readonly kind: 'move'; readonly from: Fields; readonly row: Fields }
  | { readonly kind: 'append'; readonly rows: readonly Fields[] }
  | { readonly kind: 'remove'; readonly row: Fields };

export interface NetTable {
  /** Places of the key columns in a row; empty where the table has no key. */
  readonly key: readonly number[];
}

type Entry = { readonly key: Fields; readonly row: Fields | null };

const isPartial = (row: Fields) => row.includes(UNCHANGED);

/** `patch` over `base`, which may itself be partial. */
function overlay(base: Fields, patch: Fields): Fields {
  return patch.map((field, index) => (field === UNCHANGED ? (base[index] ?? UNCHANGED) : field));
}

function netStep(entries: ReadonlyMap<string, Entry>): Step[] {
  if (entries.size === 0) return [];
  const deletes: Fields[] = [];
  const upserts: Fields[] = [];
  const patches: Fields[] = [];
  for (const { key, row } of entries.values()) {
    if (row === null) deletes.push(key);
    else if (isPartial(row)) patches.push(row);
    else upserts.push(row);
  }
  return [{ kind: 'net', deletes, upserts, patches }];
}

/** Changes in commit order, without a TRUNCATE among them, as steps to be taken in order. */
export function netChanges(changes: readonly RowChange[], table: NetTable): readonly Step[] {
  return table.key.length === 0 ? eachChange(changes) : keyedChanges(changes, table.key);
}

function keyedChanges(changes: readonly RowChange[], keyAt: readonly number[]): readonly Step[] {
  const steps: Step[] = [];
  let entries = new Map<string, Entry>();
  const flush = () => {
    steps.push(...netStep(entries));
    entries = new Map();
  };
  const put = (key: Fields, row: Fields | null) => {
    entries.set(key.join('\t'), { key, row });
  };
  for (const { old, row } of changes) {
    if (row === null) {
      if (old !== null) put(old, null);
      continue;
    }
    const key = keyAt.map((index) => row[index] ?? '');
    const before = entries.get((old ?? key).join('\t'))?.row ?? null;
    const whole = before === null ? row : overlay(before, row);
    if (old !== null && old.join('\t') !== key.join('\t')) {
      if (isPartial(whole)) {
        flush();
        steps.push({ kind: 'move', from: old, row: whole });
        continue;
      }
      put(old, null);
    }
    put(key, whole);
  }
  flush();
  return steps;
}

function eachChange(changes: readonly RowChange[]): readonly Step[] {
  const steps: Step[] = [];
  let rows: Fields[] = [];
  const flush = () => {
    if (rows.length > 0) steps.push({ kind: 'append', rows });
    rows = [];
  };
  for (const { old, row } of changes) {
    if (old !== null) {
      flush();
      steps.push({ kind: 'remove', row: old });
    }
    if (row !== null) rows.push(old === null ? row : overlay(old, row));
  }
  flush();
  return steps;
}
