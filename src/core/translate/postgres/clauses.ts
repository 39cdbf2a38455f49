/** Where the clauses of a statement begin: keywords that stand outside all brackets. */
import type { SourceText } from './source.ts';

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds keyword sequences such as `ON CONFLICT` at the outermost level, from one token on. The
 * result holds the token positions in the order of the text.
 */
export function findClauses(
  source: SourceText,
  fromToken: number,
  keywords: readonly string[],
): readonly { readonly keyword: string; readonly token: number }[] {
  const sequences = keywords.map((keyword) => keyword.split(' '));
  const found: { keyword: string; token: number }[] = [];
  let depth = 0;
  for (let at = fromToken; at < source.tokens.length; at += 1) {
    const token = source.tokens[at];
    if (!token) break;
    const word = token.text.toUpperCase();
    if (token.text === '(' || token.text === '[' || word === 'CASE') depth += 1;
    else if (token.text === ')' || token.text === ']' || (word === 'END' && depth > 0)) depth -= 1;
    if (depth < 0) break;
    if (depth > 0 || (token.kind !== 'word' && token.text !== ',')) continue;
    if (token.text.startsWith('"')) continue;
    const sequence = sequences.find((words) =>
      words.every(
        (expected, offset) => source.tokens[at + offset]?.text.toUpperCase() === expected,
      ),
    );
    if (!sequence || (word === 'FROM' && isDistinctFrom(source, at))) continue;
    found.push({ keyword: sequence.join(' '), token: at });
  }
  return found;
}

function isDistinctFrom(source: SourceText, at: number): boolean {
  if (source.tokens[at - 1]?.text.toUpperCase() !== 'DISTINCT') return false;
  const before = source.tokens[at - 2]?.text.toUpperCase();
  return before === 'IS' || before === 'NOT';
}

/** The text between two tokens: from after token `after` up to token `before`, or to the end. */
export function between(source: SourceText, after: number, before: number | undefined): Stretch {
  const last = source.tokens.at(-1);
  const end =
    before === undefined
      ? endOfStatement(source)
      : (source.tokens[before]?.start ?? last?.end ?? 0);
  return { start: source.tokens[after]?.end ?? 0, end };
}

export function endOfStatement(source: SourceText): number {
  const last = source.tokens.at(-1);
  const beforeLast = source.tokens.at(-2);
  return last?.text === ';' ? (beforeLast?.end ?? 0) : (last?.end ?? 0);
}

/** Splits a stretch at its commas outside brackets. */
export function splitAtCommas(source: SourceText, stretch: Stretch): readonly Stretch[] {
  const first = source.tokenAt(stretch.start);
  const commas = findClauses(source, Math.max(first, 0), [','])
    .map(({ token }) => source.tokens[token])
    .filter(
      (token) => token !== undefined && token.start < stretch.end && token.start >= stretch.start,
    );
  const parts: Stretch[] = [];
  let start = stretch.start;
  for (const comma of commas) {
    if (!comma) continue;
    parts.push({ start, end: comma.start });
    start = comma.end;
  }
  parts.push({ start, end: stretch.end });
  return parts;
}
