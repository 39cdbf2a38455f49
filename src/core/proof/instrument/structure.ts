/** The nesting of a PL/pgSQL body, told from its tokens: the parser itself gives only lines. */
import type { Token } from '../../translate/postgres/parser.ts';

export interface ExceptionSection {
  /** Position of the block's BEGIN, of EXCEPTION, and of the END that closes the block. */
  readonly begin: number;
  readonly from: number;
  readonly to: number;
}

export interface Condition {
  /** Position of IF or ELSIF, and of its THEN. */
  readonly from: number;
  readonly to: number;
}

export interface Structure {
  readonly sections: readonly ExceptionSection[];
  readonly conditions: readonly Condition[];
}

interface Open {
  readonly word: 'BEGIN' | 'IF' | 'CASE' | 'LOOP';
  readonly at: number;
  exception: number | null;
}

/** `tokens` without comments. */
export function structureOf(tokens: readonly Token[]): Structure {
  const sections: ExceptionSection[] = [];
  const conditions: Condition[] = [];
  const open: Open[] = [];
  let closes = -1;
  for (const at of tokens.keys()) {
    if (at === closes) continue;
    const word = wordAt(tokens, at);
    const starts = startsStatement(tokens, at);
    const top = open.at(-1);
    if (word === 'CASE' || word === 'LOOP') open.push({ word, at, exception: null });
    else if (word === 'BEGIN' && starts) open.push({ word, at, exception: null });
    else if (word === 'EXCEPTION' && starts && top?.word === 'BEGIN') top.exception = at;
    else if (word === 'END') {
      open.pop();
      if (wordAt(tokens, at + 1) === top?.word && top?.word !== 'BEGIN') closes = at + 1;
      if (top !== undefined && top.exception !== null) {
        sections.push({ begin: top.at, from: top.exception, to: at });
      }
    }
    if (starts && (word === 'IF' || word === 'ELSIF' || word === 'ELSEIF')) {
      if (word === 'IF') open.push({ word, at, exception: null });
      const to = closingThen(tokens, at);
      if (to !== null) conditions.push({ from: at, to });
    }
  }
  return { sections, conditions };
}

/** Whether a statement of PL/pgSQL may begin at this token. */
export function startsStatement(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1];
  if (before === undefined || before.text === ';' || before.text === '>>') return true;
  return ['THEN', 'ELSE', 'LOOP', 'BEGIN', 'DECLARE'].includes(wordAt(tokens, at - 1));
}

/** The word in upper case; empty for a quoted name, a string, or past the end. */
export function wordAt(tokens: readonly Token[], at: number): string {
  const token = tokens[at];
  return token?.kind === 'word' && !token.text.startsWith('"') ? token.text.toUpperCase() : '';
}

function closingThen(tokens: readonly Token[], from: number): number | null {
  let cases = 0;
  for (let at = from + 1; at < tokens.length; at += 1) {
    const word = wordAt(tokens, at);
    if (word === 'CASE') cases += 1;
    if (word === 'END') cases -= 1;
    if (word === 'THEN' && cases === 0) return at;
    if (tokens[at]?.text === ';') return null;
  }
  return null;
}
