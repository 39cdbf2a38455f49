/**
 * Messages of PostgreSQL's `pgoutput` plugin, protocol version 1.
 *
 * Values stay the text that the server printed, as binary strings: nothing on the way can lose a
 * microsecond or a digit. An unchanged TOASTed value is `undefined`, which is not NULL.
 */

export interface PgRelation {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: 'default' | 'nothing' | 'full' | 'index';
  readonly columns: readonly {
    readonly name: string;
    readonly inKey: boolean;
    readonly typeOid: number;
    readonly typeModifier: number;
  }[];
}

type PgTuple = readonly (string | null | undefined)[];

export type PgMessage =
  | { readonly tag: 'begin'; readonly finalLsn: bigint; readonly time: number }
  | { readonly tag: 'commit'; readonly endLsn: bigint }
  | { readonly tag: 'relation'; readonly relation: PgRelation }
  | { readonly tag: 'insert'; readonly relation: number; readonly row: PgTuple }
  | {
      readonly tag: 'update';
      readonly relation: number;
      /** `key` holds NULL outside of the key columns. */
      readonly oldKind: 'key' | 'full' | null;
      readonly old: PgTuple | null;
      readonly row: PgTuple;
    }
  | {
      readonly tag: 'delete';
      readonly relation: number;
      readonly oldKind: 'key' | 'full';
      readonly old: PgTuple;
    }
  | { readonly tag: 'truncate'; readonly relations: readonly number[] }
  | { readonly tag: 'other' };

/** Microseconds from 1970 to 2000, where PostgreSQL's clock starts. */
const EPOCH_MICROSECONDS = 946_684_800_000_000n;
const IDENTITIES = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;

interface Cursor {
  at: number;
}

function text(bytes: Buffer, cursor: Cursor): string {
  const end = bytes.indexOf(0, cursor.at);
  if (end === -1) throw new RangeError('a name in a replication message has no end');
  const value = bytes.toString('utf8', cursor.at, end);
  cursor.at = end + 1;
  return value;
}

function tuple(bytes: Buffer, cursor: Cursor): PgTuple {
  const count = bytes.readUInt16BE(cursor.at);
  cursor.at += 2;
  // One decoding for all values of the message: each is a slice of it.
  const whole = bytes.toString('latin1');
  const values: (string | null | undefined)[] = [];
  for (let index = 0; index < count; index += 1) {
    const kind = bytes[cursor.at];
    cursor.at += 1;
    if (kind === 0x6e) values.push(null);
    else if (kind === 0x75) values.push(undefined);
    else if (kind === 0x74) {
      const length = bytes.readInt32BE(cursor.at);
      const start = cursor.at + 4;
      cursor.at = start + length;
      if (cursor.at > bytes.length) throw new RangeError('a replication message ends in a value');
      values.push(whole.slice(start, cursor.at));
    } else throw new RangeError(`a value of the unknown kind ${kind} in a replication message`);
  }
  return values;
}

function relation(bytes: Buffer, cursor: Cursor): PgRelation {
  const id = bytes.readUInt32BE(cursor.at);
  cursor.at += 4;
  const schema = text(bytes, cursor);
  const name = text(bytes, cursor);
  const letter = String.fromCharCode(bytes[cursor.at] ?? 0);
  if (letter !== 'd' && letter !== 'n' && letter !== 'f' && letter !== 'i') {
    throw new RangeError(`unknown replica identity "${letter}" of ${schema}.${name}`);
  }
  const count = bytes.readUInt16BE(cursor.at + 1);
  cursor.at += 3;
  const columns = Array.from({ length: count }, () => {
    const inKey = ((bytes[cursor.at] ?? 0) & 1) === 1;
    cursor.at += 1;
    const columnName = text(bytes, cursor);
    const typeOid = bytes.readUInt32BE(cursor.at);
    const typeModifier = bytes.readInt32BE(cursor.at + 4);
    cursor.at += 8;
    return { name: columnName, inKey, typeOid, typeModifier };
  });
  return {
    id,
    schema: schema === '' ? 'pg_catalog' : schema,
    name,
    identity: IDENTITIES[letter],
    columns,
  };
}

/** Decodes one message. Throws `RangeError` on a message that is cut short or of an unknown shape. */
export function decodePgMessage(bytes: Buffer): PgMessage {
  const cursor: Cursor = { at: 1 };
  const id = () => {
    const value = bytes.readUInt32BE(cursor.at);
    cursor.at += 4;
    return value;
  };
  const letter = () => {
    const value = String.fromCharCode(bytes[cursor.at] ?? 0);
    cursor.at += 1;
    return value;
  };
  switch (String.fromCharCode(bytes[0] ?? 0)) {
    case 'B':
      return {
        tag: 'begin',
        finalLsn: bytes.readBigUInt64BE(1),
        time: Number((bytes.readBigInt64BE(9) + EPOCH_MICROSECONDS) / 1000n),
      };
    case 'C':
      return { tag: 'commit', endLsn: bytes.readBigUInt64BE(10) };
    case 'R':
      return { tag: 'relation', relation: relation(bytes, cursor) };
    case 'I': {
      const table = id();
      cursor.at += 1;
      return { tag: 'insert', relation: table, row: tuple(bytes, cursor) };
    }
    case 'U': {
      const table = id();
      const kind = letter();
      if (kind === 'N') {
        return {
          tag: 'update',
          relation: table,
          oldKind: null,
          old: null,
          row: tuple(bytes, cursor),
        };
      }
      const old = tuple(bytes, cursor);
      cursor.at += 1;
      const oldKind = kind === 'K' ? 'key' : 'full';
      return { tag: 'update', relation: table, oldKind, old, row: tuple(bytes, cursor) };
    }
    case 'D': {
      const table = id();
      const oldKind = letter() === 'K' ? 'key' : 'full';
      return { tag: 'delete', relation: table, oldKind, old: tuple(bytes, cursor) };
    }
    case 'T': {
      const count = id();
      cursor.at += 1;
      return { tag: 'truncate', relations: Array.from({ length: count }, id) };
    }
    case 'O':
    case 'Y':
    case 'M':
      return { tag: 'other' };
    default:
      throw new RangeError(`unknown replication message ${bytes[0]}`);
  }
}
