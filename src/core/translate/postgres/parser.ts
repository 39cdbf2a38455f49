/**
 * PostgreSQL's own parser, behind a few functions that speak of text in JavaScript's terms.
 *
 * The parser counts in UTF-8 bytes; everything here gives offsets in UTF-16 code units, so that
 * they can be used with `slice`.
 */
import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query';
import type { ParseResult, ScanToken } from 'libpg-query';

/** Loads the parser. Must be awaited once before anything else here is called. */
export async function loadParser(): Promise<void> {
  await loadModule();
}

export interface Token {
  readonly text: string;
  /** Offsets in the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly kind: 'word' | 'comment' | 'string' | 'number' | 'parameter' | 'symbol';
  /** The keyword in upper case where the token is one (reserved or not), else null. */
  readonly keyword: string | null;
}

const COMMENT_TOKENS = new Set(['SQL_COMMENT', 'C_COMMENT']);
const STRING_TOKENS = new Set(['SCONST', 'USCONST', 'BCONST', 'XCONST']);
const NUMBER_TOKENS = new Set(['ICONST', 'FCONST']);

/** Texts whose result is kept. What reads a statement comes back to it soon, or never. */
const MOST_KEPT = 500;

/** A function that gives the result of before for a text that it was lately asked for. */
function remembering<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = read(text);
    known.set(text, result);
    const [oldest] = known.size > MOST_KEPT ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
    return result;
  };
}

/** Splits SQL into tokens, comments included. Throws the parser's error on an unclosed string. */
export const scan = remembering((sql: string): readonly Token[] => {
  const toIndex = offsetMapper(sql);
  return scanSync(sql).tokens.map((token) => {
    const start = toIndex(token.start);
    const end = toIndex(token.end);
    const text = sql.slice(start, end);
    return { text, start, end, kind: tokenKind(token), keyword: keywordOf(token, text) };
  });
});

function tokenKind(token: ScanToken): Token['kind'] {
  if (COMMENT_TOKENS.has(token.tokenName)) return 'comment';
  if (STRING_TOKENS.has(token.tokenName)) return 'string';
  if (NUMBER_TOKENS.has(token.tokenName)) return 'number';
  if (token.tokenName === 'PARAM') return 'parameter';
  if (token.tokenName === 'IDENT' || token.tokenName === 'UIDENT' || token.keywordKind !== 0) {
    return 'word';
  }
  return 'symbol';
}

function keywordOf(token: ScanToken, text: string): string | null {
  return token.keywordKind === 0 ? null : text.toUpperCase();
}

/** Parses SQL statements into PostgreSQL's raw parse tree. Throws on a syntax error. */
export const parseSql = remembering((sql: string): ParseResult => parseSync(sql));

/** Parses a CREATE FUNCTION or PROCEDURE statement in PL/pgSQL into the language's own tree. */
export function parsePlpgsql(createStatement: string): unknown {
  return parsePlPgSQLSync(createStatement);
}

/** Gives a function from a byte offset in the UTF-8 form of `text` to an index into `text`. */
export function offsetMapper(text: string): (byteOffset: number) => number {
  if (Buffer.byteLength(text) === text.length) return (byteOffset) => byteOffset;
  const indexAt = new Int32Array(Buffer.byteLength(text) + 1);
  let byte = 0;
  let index = 0;
  for (const character of text) {
    const width = Buffer.byteLength(character);
    indexAt.fill(index, byte, byte + width);
    byte += width;
    index += character.length;
  }
  indexAt[byte] = index;
  return (byteOffset) => indexAt[byteOffset] ?? index;
}
