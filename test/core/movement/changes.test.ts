import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChangeRecord, RowChange } from '../../../src/core/movement/changes.ts';
import { decodeRecord, encodeRecord, UNCHANGED } from '../../../src/core/movement/changes.ts';
import { netChanges } from '../../../src/core/movement/net.ts';

describe('.ckt records', () => {
  test('every record comes back', () => {
    const records: readonly ChangeRecord[] = [
      { kind: 'begin', position: '0/1A', time: 1_700_000_000_000 },
      { kind: 'insert', table: 3, old: null, row: '1\t\\N\t' },
      { kind: 'update', table: 3, old: null, row: `1\t${UNCHANGED}\ta b` },
      { kind: 'update', table: 3, old: '1\tx', row: '2\t\ty' },
      { kind: 'delete', table: 0, old: '1', row: null },
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
    const fields = row?.split('\t') ?? [];
    const before = rows.get(old ?? fields[0] ?? '');
    if (old !== null) rows.delete(old);
    if (row !== null)
      rows.set(
        fields[0] ?? '',
        fields.map((field, at) => (field === UNCHANGED ? (before?.[at] ?? '?') : field)),
      );
  }
  return rows;
}

function bySteps(start: ReadonlyMap<string, readonly string[]>, changes: readonly RowChange[]) {
  const rows = new Map(start);
  const put = (row: string) => rows.set(row.split('\t')[0] ?? '', row.split('\t'));
  const patch = (key: string, text: string) => {
    const row = text.split('\t');
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
      for (const key of step.deletes) rows.delete(key);
      for (const row of step.upserts) put(row);
      for (const row of step.patches) patch(row.split('\t')[0] ?? '', row);
    } else if (step.kind === 'move') patch(step.from, step.row);
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
          change = { kind: 'insert', table: 0, old: null, row: [id, ...whole].join('\t') };
        if (kind === 'update' && now.has(id))
          change = { kind: 'update', table: 0, old: null, row: [id, one, two].join('\t') };
        if (kind === 'move' && now.has(id) && !now.has(to))
          change = { kind: 'update', table: 0, old: id, row: [to, one, two].join('\t') };
        if (kind === 'delete' && now.has(id))
          change = { kind: 'delete', table: 0, old: id, row: null };
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

test('a table without a key takes all that comes before the first that goes', () => {
  const steps = netChanges(
    [
      { kind: 'insert', table: 0, old: null, row: '1\ta' },
      { kind: 'insert', table: 0, old: null, row: '1\ta' },
      { kind: 'update', table: 0, old: '1\ta', row: `2\t${UNCHANGED}` },
      { kind: 'delete', table: 0, old: '1\ta', row: null },
    ],
    { key: [] },
  );
  expect(steps).toEqual([
    {
      kind: 'append',
      rows: ['1\ta', '1\ta', '2\ta'],
    },
    { kind: 'remove', rows: ['1\ta', '1\ta'] },
  ]);
});

test('a key of several columns, wherever they stand, decides what is the same row', () => {
  const change = (row: string): RowChange => ({ kind: 'update', table: 0, old: null, row });
  expect(
    netChanges(
      [change('x\ta\tb\t1'), change('y\ta\tb\t2'), change('z\ta\t\t3'), change('\ta\tb')],
      {
        key: [1, 2],
      },
    ),
  ).toEqual([{ kind: 'net', deletes: [], upserts: ['\ta\tb', 'z\ta\t\t3'], patches: [] }]);
});

test('a value that only looks like one that was left out is a value', () => {
  const row = `1\t\\${UNCHANGED}`;
  expect(netChanges([{ kind: 'update', table: 0, old: null, row }], { key: [0] })).toEqual([
    { kind: 'net', deletes: [], upserts: [row], patches: [] },
  ]);
});
