/**
 * Splits a file of SQL as psql takes it into statements, COPY data and psql's own commands.
 *
 * Where a statement ends is told by PostgreSQL's scanner, a window of the text at a time. Data of
 * COPY and psql's backslash commands aren't SQL; a quote in them would mislead the scanner, so a
 * window that doesn't scan is first tried up to where such text may begin, then made longer.
 */
import { scan } from '../translate/postgres/parser.ts';
import type { Token } from '../translate/postgres/parser.ts';

export type ScriptPiece =
  | { readonly kind: 'statement'; readonly text: string; readonly line: number }
  | { readonly kind: 'copy'; readonly text: string; readonly data: string; readonly line: number }
  /** A command of psql: `\connect warehouse`. */
  | { readonly kind: 'command'; readonly text: string; readonly line: number }
  /** Text that can't be split: a quote that is never closed, most often. */
  | { readonly kind: 'rest'; readonly text: string; readonly line: number };

type Unplaced = {
  readonly kind: ScriptPiece['kind'];
  readonly text: string;
  readonly data?: string;
  readonly start: number;
};

interface Found {
  readonly pieces: readonly Unplaced[];
  /** Where the next window begins: after where this one began. */
  readonly end: number;
}

const WINDOW = 1 << 18;
const MOST_CANDIDATES = 20;

/** A byte order mark, also where files that had one were put together. */
const MARK = /^\uFEFF/gmu;

/** Pieces in the order of the file; `line` is where the piece begins, counted from 1. */
export function splitScript(text: string): readonly ScriptPiece[] {
  const script = text.replaceAll(MARK, ' ');
  const pieces: ScriptPiece[] = [];
  const lineAt = lineCounter(script);
  let at = 0;
  while (at < script.length) {
    const found = nextPieces(script, at);
    for (const { start, kind, text, data } of found.pieces) {
      const line = lineAt(start);
      if (kind === 'copy') pieces.push({ kind, text, data: data ?? '', line });
      else pieces.push({ kind, text, line });
    }
    at = found.end;
  }
  return pieces;
}

/** What the shortest readable window at `at` holds: at least one piece, or the end of the file. */
function nextPieces(script: string, at: number): Found {
  for (let size = WINDOW; ; size *= 2) {
    const end = size >= script.length - at ? script.length : lineEnd(script, at + size);
    const tokens = scanned(script.slice(at, end)) ?? scannedUpToForeignText(script, at, end);
    const found = tokens === null ? null : piecesOf(script, at, tokens);
    if (found !== null && found.end > at) return found;
    if (end < script.length) continue;
    return remainder(script, at, tokens);
  }
}

/** No semicolon is left, and the last statement may do without one; or a quote is never closed. */
function remainder(script: string, at: number, tokens: readonly Token[] | null): Found {
  const end = script.length;
  if (tokens === null) {
    const readable = piecesOf(script, at, scannedBeforeOpenQuote(script, at));
    if (readable.end > at) return readable;
  }
  const text = script.slice(at).trim();
  const start = at + script.slice(at).search(/\S|$/u);
  if (tokens === null) return { pieces: [{ kind: 'rest', text, start }], end };
  const first = tokens.find((token) => token.kind !== 'comment');
  if (first === undefined) return { pieces: [], end };
  const from = at + first.start;
  return { pieces: [{ kind: 'statement', text: script.slice(from).trimEnd(), start: from }], end };
}

/** Statements whose semicolon is among the tokens; stops after a COPY's data or a command. */
function piecesOf(script: string, at: number, tokens: readonly Token[]): Found {
  const pieces: Unplaced[] = [];
  let end = at;
  let words: Token[] = [];
  const take = (until: number) => {
    const first = words[0];
    words = [];
    if (first === undefined) return;
    const start = at + first.start;
    pieces.push({ kind: 'statement', text: script.slice(start, until).trimEnd(), start });
  };
  for (const token of tokens) {
    if (token.kind === 'comment') continue;
    if (token.text === '\\') {
      const start = at + token.start;
      take(start);
      end = lineEnd(script, start);
      pieces.push({ kind: 'command', text: script.slice(start, end).trim(), start });
      return { pieces, end };
    }
    if (token.text !== ';' || isInsideBody(words)) {
      words.push(token);
      continue;
    }
    const copies = isCopyFromStdin(words);
    end = at + token.end;
    take(at + token.start);
    if (copies) return withData(script, pieces, end);
  }
  return { pieces, end };
}

/** The last of `pieces` is a COPY. Its data begin on the next line and end at a line `\.`. */
function withData(script: string, pieces: readonly Unplaced[], end: number): Found {
  const begin = lineEnd(script, end);
  const close = findTerminator(script, begin);
  const data = script.slice(begin, close.start);
  const copies = pieces.slice(-1).map((piece) => ({ ...piece, kind: 'copy' as const, data }));
  return { pieces: [...pieces.slice(0, -1), ...copies], end: close.end };
}

function findTerminator(script: string, from: number): { start: number; end: number } {
  for (let at = from; at < script.length; at = lineEnd(script, at)) {
    const end = lineEnd(script, at);
    if (script.slice(at, end).trimEnd() === '\\.') return { start: at, end };
  }
  return { start: script.length, end: script.length };
}

/**
 * The tokens before the first line that may be a command, or up to the end of the first line that
 * may open COPY data; null where every such line stands inside a quote.
 */
function scannedUpToForeignText(script: string, at: number, end: number): readonly Token[] | null {
  let candidates = 0;
  for (let line = at; line < end && candidates < MOST_CANDIDATES; line = lineEnd(script, line)) {
    const next = lineEnd(script, line);
    const text = script.slice(line, next).trim();
    const command = text.startsWith('\\');
    if (!command && !text.toLowerCase().includes('stdin')) continue;
    candidates += 1;
    // The backslash itself scans, and says that a command begins.
    const cut = command ? script.indexOf('\\', line) + 1 : next;
    const tokens = scanned(script.slice(at, cut));
    if (tokens !== null && (command || piecesOf(script, at, tokens).end > at)) return tokens;
  }
  return null;
}

/** The tokens of the lines before one on which a quote opens that this line doesn't close. */
function scannedBeforeOpenQuote(script: string, at: number): readonly Token[] {
  let readable: readonly Token[] = [];
  let low = at;
  let high = script.length;
  while (low < high) {
    const cut = lineEnd(script, Math.floor((low + high) / 2));
    const tokens = cut < high ? scanned(script.slice(at, cut)) : null;
    if (tokens === null) high = Math.floor((low + high) / 2);
    else {
      readable = tokens;
      low = cut;
    }
  }
  return readable;
}

/** Inside BEGIN ATOMIC … END, or inside the brackets of CREATE RULE … DO (a; b). */
function isInsideBody(words: readonly Token[]): boolean {
  if (words[0]?.keyword !== 'CREATE') return false;
  const isRule = words[1]?.keyword === 'RULE' || words[3]?.keyword === 'RULE';
  let depth = 0;
  let blocks = 0;
  for (const [index, token] of words.entries()) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    const opens = token.keyword === 'BEGIN' && words[index + 1]?.keyword === 'ATOMIC';
    if (opens || (blocks > 0 && token.keyword === 'CASE')) blocks += 1;
    if (blocks > 0 && token.keyword === 'END') blocks -= 1;
  }
  return (isRule && depth > 0) || blocks > 0;
}

function isCopyFromStdin(words: readonly Token[]): boolean {
  if (words[0]?.keyword !== 'COPY') return false;
  return words.some((word, at) => word.keyword === 'FROM' && words[at + 1]?.keyword === 'STDIN');
}

function lineEnd(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
}

/** Null where a string, a quoted name, a dollar quote or a comment is still open at the end. */
function scanned(text: string): readonly Token[] | null {
  try {
    return scan(text);
  } catch {
    return null;
  }
}

/** Line of an offset; offsets must be asked in rising order. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    let newline = text.indexOf('\n', at);
    while (newline >= 0 && newline < offset) {
      line += 1;
      at = newline + 1;
      newline = text.indexOf('\n', at);
    }
    return line;
  };
}
