import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChangeRecord, RowChange } from '../../../src/core/movement/changes.ts';
import { decodeRecord, encodeRecord, UNCHANGED } from '../../../src/core/movement/changes.ts';
import { netChanges } from '../../../src/core/movement/net.ts';

describe('.ckt records', () => {
  test('every record comes back', () => {
    const records: readonly ChangeRecord[] = [
      { kind: 'begin', position: '0/1A', time: 1_700_000_000_000 },
      { kind: 'insert', table: 3, old: null, row: ['1', '\\N', ''] },
      { kind: 'update', table: 3, old: null, row: ['1', UNCHANGED, 'a b'] },
      { kind: 'update', table: 3, old: ['1', 'x'], row: ['2', 'y'] },
      { kind: 'delete', table: 0, old: ['1'], row: null },
      { kind: 'truncate', table: 2 },
      { kind: 'add-column', table: 2, mapping: '{"a":1}' },
      { kind: 'commit', position: 'binlog.000001:4' },
    ];
    expect(records.map((record) => decodeRecord(encodeRecord(record)))).toEqual(records);
    expect(() => decodeRecord('X\t1')).toThrow(RangeError);
  });
});

/** A table as a map, changed one change after the other: what any batching must equal. */
function oneByOne(start: ReadonlyMap<string, readonly string[]>, changes: readonly RowChange[]) {
  const rows = new Map(start);
  for (const { old, row } of changes) {
    const before = rows.get((old ?? row ?? [])[0] ?? '');
    if (old !== null) rows.delete(old[0] ?? '');
    if (row !== null)
      rows.set(
        row[0] ?? '',
        row.map((field, at) => (field === UNCHANGED ? (before?.[at] ?? '?') : field)),
      );
  }
  return rows;
}

function bySteps(start: ReadonlyMap<string, readonly string[]>, changes: readonly RowChange[]) {
  const rows = new Map(start);
  const patch = (key: string, row: readonly string[]) => {
    const before = rows.get(key);
    if (before === undefined) return;
    rows.delete(key);
    rows.set(
      row[0] ?? '',
      row.map((field, at) => (field === UNCHANGED ? (before[at] ?? '?') : field)),
    );
  };
  for (const step of netChanges(changes, { key: [0] })) {
    if (step.kind === 'net') {
      for (const key of step.deletes) rows.delete(key[0] ?? '');
      for (const row of step.upserts) rows.set(row[0] ?? '', row);
      for (const row of step.patches) patch(row[0] ?? '', row);
    } else if (step.kind === 'move') patch(step.from[0] ?? '', step.row);
    else throw new Error(`a keyed table took the step ${step.kind}`);
  }
  return rows;
}

test('the net of many changes equals them one by one, with keys that move and values left out', () => {
  const key = fc.integer({ min: 0, max: 5 }).map(String);
  const value = fc.constantFrom('a', 'b', 'c', UNCHANGED);
  const wish = fc.record({
    kind: fc.constantFrom('insert', 'update', 'move', 'delete'),
    key,
    to: key,
    one: value,
    two: value,
  });
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
      const start = new Map(['0', '1', '2'].map((id) => [id, [id, 'start', 'start']] as const));
      let now: Map<string, readonly string[]> = new Map(start);
      const changes: RowChange[] = [];
      for (const { kind, key: id, to, one, two } of wishes) {
        const whole = [one, two].map((field) => (field === UNCHANGED ? 'w' : field));
        let change: RowChange | null = null;
        // Only what a source could do: no insert over a row, no update of what is not there.
        if (kind === 'insert' && !now.has(id))
          change = { kind: 'insert', table: 0, old: null, row: [id, ...whole] };
        if (kind === 'update' && now.has(id))
          change = { kind: 'update', table: 0, old: null, row: [id, one, two] };
        if (kind === 'move' && now.has(id) && !now.has(to))
          change = { kind: 'update', table: 0, old: [id], row: [to, one, two] };
        if (kind === 'delete' && now.has(id))
          change = { kind: 'delete', table: 0, old: [id], row: null };
        if (change === null) continue;
        changes.push(change);
        now = oneByOne(now, [change]);
      }
      const sorted = (rows: ReadonlyMap<string, readonly string[]>) =>
        [...rows].toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
      expect(sorted(bySteps(start, changes))).toEqual(sorted(oneByOne(start, changes)));
    }),
  );
});

test('a table without a key takes its changes one after the other', () => {
  const steps = netChanges(
    [
      { kind: 'insert', table: 0, old: null, row: ['1', 'a'] },
      { kind: 'insert', table: 0, old: null, row: ['1', 'a'] },
      { kind: 'update', table: 0, old: ['1', 'a'], row: ['2', UNCHANGED] },
      { kind: 'delete', table: 0, old: ['1', 'a'], row: null },
    ],
    { key: [] },
  );
  expect(steps).toEqual([
    {
      kind: 'append',
      rows: [
        ['1', 'a'],
        ['1', 'a'],
      ],
    },
    { kind: 'remove', row: ['1', 'a'] },
    { kind: 'append', rows: [['2', 'a']] },
    { kind: 'remove', row: ['1', 'a'] },
  ]);
});
