/**
 * Wire text: rows as tab-separated lines, `\N` for NULL, backslash escapes for what would end a field or a line.
 *
 * Only the four escapes are written that `COPY` and `LOAD DATA` read alike. Strings here are *binary
 * strings*: one character per byte of UTF-8 (`latin1`), which is several times faster than decoding.
 */

const NEEDS_ESCAPE = /[\\\t\n\r]/;
const ESCAPED = /\\(.)/gs;

/** Text that is the same as string and as bytes of UTF-8. */
export function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

/** UTF-8 bytes of `text`, one character each. */
export function toBinary(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

export function fromBinary(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

function escapeOne(character: string): string {
  switch (character) {
    case '\t':
      return '\\t';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    default:
      return '\\\\';
  }
}

/** One field of a line; null becomes `\N`. */
export function encodeField(value: string | null): string {
  if (value === null) return '\\N';
  return NEEDS_ESCAPE.test(value) ? value.replace(/[\\\t\n\r]/g, escapeOne) : value;
}

export function decodeField(field: string): string | null {
  if (field === '\\N') return null;
  if (!field.includes('\\')) return field;
  return field.replace(ESCAPED, (_, character: string) =>
    character === 't' ? '\t' : character === 'n' ? '\n' : character === 'r' ? '\r' : character,
  );
}

const BACKSLASH = 0x5c;
const REPLACED = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x76, 0x0b],
]);

/**
 * Rewrites the escapes that only `COPY` knows (`\b`, `\f`, `\v`) as the bytes that they stand for:
 * `LOAD DATA` would read `\f` as the letter f, and say nothing. Keeps state between pieces.
 */
export function createEscapeTranslator(): (chunk: Buffer) => Buffer {
  let pending = false;
  return (chunk) => {
    let at = pending ? 0 : chunk.indexOf(BACKSLASH);
    if (at === -1) return chunk;
    const pieces: Buffer[] = [];
    let from = 0;
    let afterBackslash = pending;
    pending = false;
    for (;;) {
      const letterAt = afterBackslash ? at : at + 1;
      if (letterAt >= chunk.length) {
        pieces.push(chunk.subarray(from, at));
        pending = true;
        return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
      }
      const letter = chunk[letterAt] ?? 0;
      const raw = REPLACED.get(letter);
      if (!afterBackslash) pieces.push(chunk.subarray(from, at));
      pieces.push(raw === undefined ? Buffer.from([BACKSLASH, letter]) : Buffer.from([raw]));
      from = letterAt + 1;
      afterBackslash = false;
      at = chunk.indexOf(BACKSLASH, from);
      if (at === -1) {
        pieces.push(chunk.subarray(from));
        return Buffer.concat(pieces);
      }
    }
  };
}
