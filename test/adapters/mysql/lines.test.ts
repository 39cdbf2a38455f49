/** Rows of MySQL's text protocol as lines: whatever the values, as the slow and plain way would have it. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineWriter } from '../../../src/adapters/mysql/lines.ts';
import type { LineColumn } from '../../../src/adapters/mysql/lines.ts';
import { convertValue } from '../../../src/core/movement/convert.ts';
import { encodeField } from '../../../src/core/movement/wire.ts';

const plain: LineColumn = {
  name: 's.t.c',
  sql: 'c',
  form: 'plain',
  nullable: true,
  convert: 'text',
  argument: '',
};
const text: LineColumn = { ...plain, form: 'text' };
const bytes: LineColumn = { ...plain, form: 'bytes', convert: 'bytea', argument: '4294967295' };
const fixed: LineColumn = { ...bytes, convert: 'fixed-bytea', argument: '9' };
const hex: LineColumn = { ...bytes, convert: 'blob-hex', argument: '0' };
const members: LineColumn = { ...plain, form: 'converted', convert: 'set-array' };

function lengthOf(size: number): Buffer {
  if (size < 251) return Buffer.from([size]);
  const wide = Buffer.alloc(9);
  if (size < 65_536) {
    wide[0] = 0xfc;
    wide.writeUIntLE(size, 1, 2);
    return wide.subarray(0, 3);
  }
  wide[0] = 0xfd;
  wide.writeUIntLE(size, 1, 3);
  return wide.subarray(0, 4);
}

type Row = readonly (Buffer | null)[];

/** As a server sends it, with a header before it and another packet behind it. */
function packetOf(row: Row) {
  const values = row.map((value) =>
    value === null ? Buffer.from([0xfb]) : Buffer.concat([lengthOf(value.length), value]),
  );
  const body = Buffer.concat(values);
  return {
    packet: Buffer.concat([Buffer.from('head'), body, Buffer.from('tail\t\n')]),
    start: 4,
    end: 4 + body.length,
  };
}

function lines(columns: readonly LineColumn[], rows: readonly Row[]): string {
  const writer = new LineWriter(columns);
  const pieces: Buffer[] = [];
  const take = () => {
    const piece = writer.take();
    if (piece !== null) pieces.push(piece);
  };
  for (const row of rows) {
    const { packet, start, end } = packetOf(row);
    const before = Buffer.from(packet);
    expect(writer.add(packet, start, end)).toBe(null);
    expect(packet.equals(before)).toBe(true);
    if (writer.isFull) take();
  }
  take();
  take();
  return Buffer.concat(pieces).toString('latin1');
}

function plainWay(columns: readonly LineColumn[], rows: readonly Row[]): string {
  return rows
    .map((row) => {
      const fields = columns.map((column, index) => {
        const value = row[index]?.toString('latin1') ?? null;
        if (column.form === 'plain' || value === null) return value ?? '\\N';
        return encodeField(convertValue(column.convert, column.argument, value));
      });
      return `${fields.join('\t')}\n`;
    })
    .join('');
}

const digits = fc.nat().map((number) => Buffer.from(String(number)));
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 600 }),
  fc.array(fc.constantFrom(9, 10, 13, 92, 78), { maxLength: 300 }),
);
const value = (column: LineColumn) =>
  fc.option(column.form === 'plain' ? digits : anyBytes.map((each) => Buffer.from(each)), {
    nil: null,
  });

const table = fc
  .array(fc.constantFrom(plain, text, bytes, fixed, hex, members), { minLength: 1, maxLength: 6 })
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(fc.tuple(...columns.map(value)), { maxLength: 30 }),
    }),
  );

describe('lines', () => {
  test('are the same as those of the plain way', () => {
    fc.assert(
      fc.property(table, ({ columns, rows }) => {
        expect(lines(columns, rows)).toBe(plainWay(columns, rows));
      }),
    );
  });

  test.each([
    ['at both sides of each way to write a length', [250, 251, 65_535, 65_536]],
    ['larger than a piece', [300_000, 1, 3_000_000]],
  ])('hold values %s', (_, sizes) => {
    for (const column of [plain, text, bytes, hex, members]) {
      const rows = sizes.map((size) => [Buffer.alloc(size, 'a\\'), Buffer.from('1')]);
      const columns = [column, plain];
      expect(lines(columns, rows) === plainWay(columns, rows)).toBe(true);
    }
  });

  test('come in pieces of whole lines, none of them much larger than the others', () => {
    const writer = new LineWriter([plain, text]);
    const { packet, start, end } = packetOf([Buffer.from('1'), Buffer.from('x'.repeat(200))]);
    for (let count = 0; count < 10_000; count += 1) {
      writer.add(packet, start, end);
      if (!writer.isFull) continue;
      const piece = writer.take();
      expect(piece?.at(-1)).toBe(10);
      expect(piece?.length).toBeLessThan(300_000);
    }
    expect(writer.take()?.toString().endsWith('x\n')).toBe(true);
    expect(writer.take()).toBe(null);
  });
});

test('NULL where it may not be is told, and never written', () => {
  const { packet, start, end } = packetOf([Buffer.from('1'), null]);
  const given = { ...text, nullable: false };
  expect(new LineWriter([plain, given]).add(packet, start, end)).toBe(given);
});

test.each([
  ['ends early', (end: number) => end - 1],
  ['goes on', (end: number) => end + 2],
])('a row that %s is an error', (_, endOf) => {
  for (const column of [text, bytes]) {
    const { packet, start, end } = packetOf([Buffer.from('12'), Buffer.from('34')]);
    const writer = new LineWriter([plain, column]);
    expect(() => writer.add(packet, start, endOf(end))).toThrow('not as long as they say');
  }
});
