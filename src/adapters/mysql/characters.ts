/**
 * What bytes stand for in a character set, as the server has it. Tables of others have the same names and differ in some
 * characters: `～` and `〜` of sjis, `—` and `―` of gb2312, all kana of big5.
 */
import type { Connection } from 'mysql2';
import { isAscii, toBinary } from '../../core/movement/wire.ts';
import { query } from './move_session.ts';

/** All strings are binary strings. */
export interface Characters {
  /** UTF-8 by the bytes of one character; what a server has no character for is left out. */
  readonly known: ReadonlyMap<string, string>;
  /** All that `known` gives. */
  readonly texts: ReadonlySet<string>;
  /** Most bytes of a character. */
  readonly longest: number;
  readonly keepsAscii: boolean;
}

const ASCII_BYTES = 128;
/** No second byte of two is below: there are digits and what ends a line. */
const FIRST_SECOND = 0x30;
/** Before two bytes in the sets that have characters of three. */
const OF_THREE = '\x8f';
const FIRST_OF_THREE = 0xa1;
/** Fewer than a server takes columns. */
const AT_ONCE = 4000;
/** How a server writes what it does not know. */
const UNKNOWN = /[?\ufffd]/;

const bytesFrom = (first: number) =>
  Array.from({ length: 256 - first }, (_, index) => String.fromCharCode(first + index));

const pairs = (firsts: readonly string[], seconds: readonly string[]) =>
  firsts.flatMap((first) => seconds.map((second) => first + second));

/** Asks the server for all of a character set. */
export async function readCharacters(connection: Connection, charset: string): Promise<Characters> {
  const [row] = await query(
    connection,
    'SELECT MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = ?',
    [charset],
  );
  const longest = Number(row?.[0] ?? 0);
  const known = new Map<string, string>();
  const learn = async (codes: readonly string[]) => {
    for (let at = 0; at < codes.length; at += AT_ONCE)
      await learnSome(connection, charset, codes.slice(at, at + AT_ONCE), known);
  };
  if (longest > 0) await learn(bytesFrom(0));
  const firsts = bytesFrom(ASCII_BYTES).filter((byte) => !known.has(byte));
  if (longest > 1) await learn(pairs(firsts, bytesFrom(FIRST_SECOND)));
  const high = bytesFrom(FIRST_OF_THREE);
  if (longest > 2) await learn(pairs(pairs([OF_THREE], high), high));
  const ascii = bytesFrom(0).slice(0, ASCII_BYTES);
  return {
    known,
    texts: new Set(known.values()),
    longest,
    keepsAscii: ascii.every((byte) => known.get(byte) === byte),
  };
}

async function learnSome(
  connection: Connection,
  charset: string,
  codes: readonly string[],
  known: Map<string, string>,
): Promise<void> {
  const texts = codes.map(
    (code) =>
      `CONVERT(CONVERT(x'${Buffer.from(code, 'latin1').toString('hex')}' USING ${charset}) USING utf8mb4)`,
  );
  const [row] = await query(connection, `SELECT ${texts.join(', ')}`);
  for (const [index, code] of codes.entries()) {
    const text = row?.[index] ?? '';
    if (text !== '' && (code === '?' || !UNKNOWN.test(text))) known.set(code, toBinary(text));
  }
}

/** UTF-8 of `bytes`; null where some of them stand for no character. */
export function decoded(characters: Characters, bytes: string): string | null {
  if (!characters.keepsAscii) return oneByOne(characters, bytes);
  if (isAscii(bytes)) return bytes;
  return characters.longest === 1 ? othersOnly(characters, bytes) : oneByOne(characters, bytes);
}

function oneByOne({ known, longest }: Characters, bytes: string): string | null {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    let size = 1;
    while (size < longest && !known.has(bytes.slice(at, at + size))) size += 1;
    const character = known.get(bytes.slice(at, at + size));
    if (character === undefined) return null;
    text += character;
    at += size;
  }
  return text;
}

/** Where a byte is a character, and those of ASCII stay: several times faster. */
function othersOnly({ known }: Characters, bytes: string): string | null {
  let isKnown = true;
  const text = bytes.replaceAll(/[\x80-\xff]/g, (byte) => {
    const character = known.get(byte);
    isKnown &&= character !== undefined;
    return character ?? '';
  });
  return isKnown ? text : null;
}

/** Whether the server could have meant `text`: false where another's table gave it a character that the set has not. */
export function hasAll({ texts, keepsAscii }: Characters, text: string): boolean {
  if (keepsAscii && isAscii(text)) return true;
  return [...text].every((character) => texts.has(toBinary(character)));
}
