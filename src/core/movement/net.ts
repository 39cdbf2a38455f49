/**
 * Many changes of one table as few statements: the last image of each key is what counts.
 *
 * True only where nothing but the key is unique in the target, or at a transaction boundary. The
 * target has no other unique index while changes are applied: those come at cutover.
 */
import type { FieldText, RowChange } from './changes.ts';
import { afterTabs, UNCHANGED } from './changes.ts';

export type Step =
  | { readonly kind: 'truncate' }
  | {
      readonly kind: 'net';
      /** Keys. */
      readonly deletes: readonly FieldText[];
      /** Whole rows. */
      readonly upserts: readonly FieldText[];
      /** Rows with values left out: only the others are set. */
      readonly patches: readonly FieldText[];
    }
  /** The key changed, and values were left out: only an UPDATE can keep them. */
  | { readonly kind: 'move'; readonly from: FieldText; readonly row: FieldText }
  | { readonly kind: 'append'; readonly rows: readonly FieldText[] }
  /** As many of each as there are of it. */
  | { readonly kind: 'remove'; readonly rows: readonly FieldText[] };

export interface NetTable {
  /** Places of the key columns in a row; empty where the table has no key. */
  readonly key: readonly number[];
}

interface Entry {
  readonly key: FieldText;
  readonly row: FieldText | null;
  readonly partial: boolean;
}

/** A backslash in a value is written twice, so that only a field of its own can be the mark. */
const isPartial = (row: FieldText) =>
  row.includes(UNCHANGED) && row.split('\t').includes(UNCHANGED);

/** `patch` over `base`, which may itself be partial. */
function overlay(base: FieldText, patch: FieldText): FieldText {
  const fields = base.split('\t');
  return patch
    .split('\t')
    .map((field, index) => (field === UNCHANGED ? (fields[index] ?? UNCHANGED) : field))
    .join('\t');
}

/** The fields at these places, which are in order. */
function keyOf(row: FieldText, places: readonly number[]): FieldText {
  let out = '';
  let at = 0;
  let place = 0;
  for (const [index, wanted] of places.entries()) {
    at = afterTabs(row, at, wanted - place);
    place = wanted;
    const end = row.indexOf('\t', at);
    out += (index === 0 ? '' : '\t') + (end === -1 ? row.slice(at) : row.slice(at, end));
  }
  return out;
}

function netStep(entries: ReadonlyMap<string, Entry>): Step[] {
  if (entries.size === 0) return [];
  const deletes: FieldText[] = [];
  const upserts: FieldText[] = [];
  const patches: FieldText[] = [];
  for (const { key, row, partial } of entries.values()) {
    if (row === null) deletes.push(key);
    else if (partial) patches.push(row);
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
  let entries = new Map<FieldText, Entry>();
  const flush = () => {
    steps.push(...netStep(entries));
    entries = new Map();
  };
  for (const { old, row } of changes) {
    if (row === null) {
      if (old !== null) entries.set(old, { key: old, row: null, partial: false });
      continue;
    }
    const key = keyOf(row, keyAt);
    let whole = row;
    let partial = isPartial(row);
    if (partial) {
      const before = entries.get(old ?? key);
      if (before !== undefined && before.row !== null) {
        whole = overlay(before.row, row);
        partial = before.partial && isPartial(whole);
      }
    }
    if (old !== null && old !== key) {
      if (partial) {
        flush();
        steps.push({ kind: 'move', from: old, row: whole });
        continue;
      }
      entries.set(old, { key: old, row: null, partial: false });
    }
    entries.set(key, { key, row: whole, partial });
  }
  flush();
  return steps;
}

/** Rows that are only counted may all come before the first goes: what goes was there, or is among them. */
function eachChange(changes: readonly RowChange[]): readonly Step[] {
  const appended: FieldText[] = [];
  const removed: FieldText[] = [];
  for (const { old, row } of changes) {
    if (row !== null) appended.push(old !== null && isPartial(row) ? overlay(old, row) : row);
    if (old !== null) removed.push(old);
  }
  const steps: Step[] = [];
  if (appended.length > 0) steps.push({ kind: 'append', rows: appended });
  if (removed.length > 0) steps.push({ kind: 'remove', rows: removed });
  return steps;
}
