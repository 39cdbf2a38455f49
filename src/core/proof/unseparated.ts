/**
 * Statements that stand one after the other with no semicolon between, as files have them whose
 * authors run a selection at a time. The server takes no such file; where one statement ends and
 * the next begins is plain all the same.
 */
import { parseSql, scan } from '../translate/postgres/parser.ts';

export interface Separated {
  readonly text: string;
  /** Where it begins in the text that was separated. */
  readonly start: number;
}

/** Words that a line begins with where a statement does, and that mean nothing else there. */
const BEGINNINGS = new Set(['CREATE', 'CALL', 'GRANT', 'REVOKE', 'ALTER', 'DROP', 'COMMENT']);

/**
 * The statements of a text that does not parse: each is cut off where a line begins with a word
 * that can't go on with what stands before, if what stands before is a statement by itself. The last
 * is what remains, whether it parses or not. One alone where nothing can be cut off.
 */
export function separated(text: string): readonly Separated[] {
  const found: Separated[] = [];
  let start = 0;
  for (;;) {
    const rest = text.slice(start);
    const cut = nextBeginning(rest);
    if (cut === null) return [...found, { text: rest, start }];
    found.push({ text: rest.slice(0, cut).trimEnd(), start });
    start += cut;
  }
}

function nextBeginning(text: string): number | null {
  const at = failureIn(text);
  if (at === null || at === 0) return null;
  const line = text.lastIndexOf('\n', at) + 1;
  if (text.slice(line, at).trim() !== '') return null;
  const token = scan(text).find(({ start }) => start === at);
  if (!BEGINNINGS.has(token?.keyword ?? '')) return null;
  return failureIn(text.slice(0, at)) === null ? at : null;
}

/** Where the parser can't go on; null where it takes the text, or does not say. */
function failureIn(text: string): number | null {
  try {
    parseSql(text);
    return null;
  } catch (error) {
    const position = cursorPosition(error);
    // The server counts characters here, not bytes.
    return position === null ? 0 : [...text].slice(0, position).join('').length;
  }
}

function cursorPosition(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('sqlDetails' in error)) return null;
  const { sqlDetails: details } = error;
  if (typeof details !== 'object' || details === null || !('cursorPosition' in details))
    return null;
  return typeof details.cursorPosition === 'number' ? details.cursorPosition : null;
}
