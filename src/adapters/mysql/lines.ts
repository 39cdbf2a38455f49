/**
 * Rows, as a server of MySQL sends them, into lines of wire text.
 *
 * In a packet of its text protocol every value stands behind its length, and a length below 251 is one byte, where a line
 * has one byte between two fields. So the packet of most rows is a line already, once its lengths are written over.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
 */
import { qualified } from '../../core/catalog/names.ts';
import { convertValue } from '../../core/movement/convert.ts';
import type { ColumnMapping, Conversion, TableMapping } from '../../core/movement/model.ts';
import { fill, movedColumns } from '../../core/movement/types/map.ts';
import { encodeField } from '../../core/movement/wire.ts';
import { ident } from './sql.ts';

/** What is made of a value here: nothing, escapes, digits, or another text. */
type Form = 'plain' | 'text' | 'bytes' | 'converted';

export interface LineColumn {
  /** For people, with its table. */
  readonly name: string;
  /** The column in a select list. */
  readonly sql: string;
  readonly form: Form;
  readonly nullable: boolean;
  readonly convert: Conversion;
  readonly argument: string;
}

/** What a field of bytes begins with, before two digits for each. */
const DIGITS_BEGIN: Readonly<Partial<Record<Conversion, string>>> = {
  bytea: String.raw`\\x`,
  'fixed-bytea': String.raw`\\x`,
  'blob-hex': '',
};

/**
 * What may be large is put into its text here: a server makes NULL of what outgrows its `max_allowed_packet` in an
 * expression, and its REPLACE takes time by the square of what it replaces.
 */
function formOf({ convert, escape }: ColumnMapping): Form {
  if (DIGITS_BEGIN[convert] !== undefined) return 'bytes';
  if (convert === 'set-array') return 'converted';
  return escape ? 'text' : 'plain';
}

/** How the columns of a table are read. Text needs no SQL: a session gets all of it in UTF-8. */
export function lineColumns(mapping: TableMapping): readonly LineColumn[] {
  return movedColumns(mapping).map((column) => {
    const form = formOf(column);
    const name = ident(column.source);
    return {
      name: `${qualified(mapping.source)}.${column.source}`,
      sql: form === 'plain' ? fill(column.read, name) : name,
      form,
      nullable: column.nullable,
      convert: column.convert,
      argument: column.argument,
    };
  });
}

/** Bytes of lines that are passed on together. */
export const PIECE_BYTES = 256 * 1024;
const [TAB, NEWLINE, RETURN, BACKSLASH] = [0x09, 0x0a, 0x0d, 0x5c];
/** The letter after the backslash, by byte; 0 for bytes that stand for themselves. */
const ESCAPES = new Uint8Array(256);
ESCAPES[TAB] = 't'.charCodeAt(0);
ESCAPES[NEWLINE] = 'n'.charCodeAt(0);
ESCAPES[RETURN] = 'r'.charCodeAt(0);
ESCAPES[BACKSLASH] = BACKSLASH;
const HEX = Buffer.from('0123456789abcdef');
const NULL_FIELD = Buffer.from(String.raw`\N`);

/** First byte of a value: NULL, or how many bytes hold its length. */
const NULL_MARK = 0xfb;
const LENGTH_BYTES = new Map([
  [0xfc, 2],
  [0xfd, 3],
  // Eight, of which the last two say that it is larger than anything that Node holds.
  [0xfe, 6],
]);

/** Gathers lines in pieces. */
export class LineWriter {
  readonly #columns: readonly LineColumn[];
  /** True at the columns whose bytes must be looked at. */
  readonly #isText: readonly boolean[];
  readonly #mayBePlain: boolean;
  #out = Buffer.alloc(0);
  /** A line begins with the end of the one before it: the piece's first byte is none of it. */
  #at = 0;

  constructor(columns: readonly LineColumn[]) {
    this.#columns = columns;
    this.#isText = columns.map(({ form }) => form === 'text');
    this.#mayBePlain = columns.every(({ form }) => form === 'plain' || form === 'text');
  }

  /** Adds the row in `packet` from `start` to `end`; gives the column that is NULL and may not be, else null. */
  add(packet: Buffer, start: number, end: number): LineColumn | null {
    this.#makeRoom(end - start + 1);
    if (this.#mayBePlain && this.#addPlain(packet, start, end)) return null;
    return this.#addFields(packet, start, end);
  }

  get isFull(): boolean {
    return this.#at >= PIECE_BYTES;
  }

  /** The lines since the last call; null where there are none. */
  take(): Buffer | null {
    if (this.#at === 0) return null;
    this.#makeRoom(1);
    this.#out[this.#at] = NEWLINE;
    const piece = this.#out.subarray(1, this.#at + 1);
    this.#out = Buffer.alloc(0);
    this.#at = 0;
    return piece;
  }

  /** One copy, then the lengths are written over. False, and nothing is added, where that makes no line of it. */
  #addPlain(packet: Buffer, start: number, end: number): boolean {
    const out = this.#out;
    let at = this.#at;
    packet.copy(out, at, start, end);
    for (let index = 0; index < this.#isText.length; index += 1) {
      const length = out[at] ?? NULL_MARK;
      if (length >= NULL_MARK) return false;
      out[at] = index === 0 ? NEWLINE : TAB;
      const next = at + 1 + length;
      if (this.#isText[index] === true) {
        for (let each = at + 1; each < next; each += 1) {
          if (ESCAPES[out[each] ?? 0] !== 0) return false;
        }
      }
      at = next;
    }
    if (at - this.#at !== end - start) throw cutOff();
    this.#at = at;
    return true;
  }

  #addFields(packet: Buffer, start: number, end: number): LineColumn | null {
    let at = start;
    for (const [index, column] of this.#columns.entries()) {
      this.#byte(index === 0 ? NEWLINE : TAB);
      const first = packet[at] ?? NULL_MARK;
      at += 1;
      if (first === NULL_MARK) {
        if (!column.nullable) return column;
        this.#bytes(NULL_FIELD, 0, NULL_FIELD.length);
        continue;
      }
      const size = LENGTH_BYTES.get(first);
      const length = size === undefined ? first : packet.readUIntLE(at, size);
      at += first === 0xfe ? 8 : (size ?? 0);
      if (at + length > end) throw cutOff();
      this.#field(column, packet, at, at + length);
      at += length;
    }
    if (at !== end) throw cutOff();
    return null;
  }

  #field(column: LineColumn, packet: Buffer, from: number, to: number): void {
    if (column.form === 'plain') this.#bytes(packet, from, to);
    else if (column.form === 'text') this.#text(packet, from, to);
    else if (column.form === 'bytes') this.#digits(column, packet, from, to);
    else {
      const value = packet.toString('latin1', from, to);
      const field = encodeField(convertValue(column.convert, column.argument, value));
      this.#makeRoom(field.length);
      this.#at += this.#out.write(field, this.#at, 'latin1');
    }
  }

  /** Like the conversion of that name, without strings of twice the size on the way. */
  #digits({ convert, argument }: LineColumn, packet: Buffer, from: number, to: number): void {
    const begin = DIGITS_BEGIN[convert] ?? '';
    const least = convert === 'bytea' ? 0 : Number(argument);
    const size = Math.max(to - from, least);
    this.#makeRoom(begin.length + size * 2);
    const out = this.#out;
    let at = this.#at + out.write(begin, this.#at, 'latin1');
    for (let each = from; each < from + size; each += 1) {
      const byte = each < to ? (packet[each] ?? 0) : 0;
      out[at] = HEX[byte >> 4] ?? 0;
      out[at + 1] = HEX[byte & 15] ?? 0;
      at += 2;
    }
    this.#at = at;
  }

  #text(packet: Buffer, from: number, to: number): void {
    this.#makeRoom(to - from + (to - from > PIECE_BYTES ? escapesIn(packet, from, to) : to - from));
    const out = this.#out;
    let at = this.#at;
    for (let each = from; each < to; each += 1) {
      const byte = packet[each] ?? 0;
      const letter = ESCAPES[byte] ?? 0;
      if (letter !== 0) {
        out[at] = BACKSLASH;
        at += 1;
      }
      out[at] = letter === 0 ? byte : letter;
      at += 1;
    }
    this.#at = at;
  }

  #bytes(from: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start);
    this.#at += from.copy(this.#out, this.#at, start, end);
  }

  #byte(byte: number): void {
    this.#makeRoom(1);
    this.#out[this.#at] = byte;
    this.#at += 1;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(
      Math.max(this.#at + bytes, this.#out.length * 1.25, PIECE_BYTES * 1.25),
    );
    this.#out.copy(larger, 0, 0, this.#at);
    this.#out = larger;
  }
}

function escapesIn(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let each = from; each < to; each += 1) if (ESCAPES[bytes[each] ?? 0] !== 0) count += 1;
  return count;
}

function cutOff(): Error {
  return new Error('A row came whose values are not as long as they say.');
}
