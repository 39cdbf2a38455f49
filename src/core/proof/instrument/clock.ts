/**
 * Makes stored code read the proof's clock.
 *
 * Every clock function is replaced by one of the same name in a schema of the proof, so that the
 * columns that are named after it keep their names. Replacing is done at the tokens of PostgreSQL's
 * scanner: nothing else of the text changes, lines least of all.
 */
import { scan } from '../../translate/postgres/parser.ts';
import type { Token } from '../../translate/postgres/parser.ts';
import { PROOF_SCHEMA } from '../names.ts';

/** Called with brackets: `now()`. */
const FUNCTIONS = new Set([
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'clock_timestamp',
  'timeofday',
]);

/** Written without brackets, or with a precision in them, and then of a type with that precision. */
const KEYWORDS: ReadonlyMap<string, (precision: string) => string> = new Map([
  ['CURRENT_DATE', () => 'date'],
  ['CURRENT_TIME', (precision: string) => `time(${precision}) with time zone`],
  ['CURRENT_TIMESTAMP', (precision: string) => `timestamp(${precision}) with time zone`],
  ['LOCALTIME', (precision: string) => `time(${precision})`],
  ['LOCALTIMESTAMP', (precision: string) => `timestamp(${precision})`],
]);

/** First words of statements that stand in strings, to be run by EXECUTE. */
const STATEMENT_WORDS = new Set([
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'SELECT',
  'WITH',
  'CREATE',
  'TRUNCATE',
]);

/** A text of SQL or PL/pgSQL whose clock functions read the proof's clock. */
export function onProofClock(text: string): string {
  return edited(text, clockEdits(text));
}

/** The same for the body of a routine: also inside strings that are statements for EXECUTE. */
export function bodyOnProofClock(body: string): string {
  return edited(body, [...clockEdits(body), ...dynamicEdits(body)]);
}

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies edits that don't overlap, in any order. */
export function edited(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const edit of edits.toSorted((a, b) => b.start - a.start || b.end - a.end)) {
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  }
  return result;
}

/** Tokens without comments; none where the text does not scan. */
export function codeTokens(text: string): readonly Token[] {
  try {
    return scan(text).filter((token) => token.kind !== 'comment');
  } catch {
    return [];
  }
}

function clockEdits(text: string): Edit[] {
  const tokens = codeTokens(text);
  return tokens.flatMap((token, at): Edit[] => {
    if (token.kind !== 'word') return [];
    const keyword = keywordEdit(tokens, at, token);
    return keyword === null ? functionEdit(tokens, at, token) : [keyword];
  });
}

function keywordEdit(tokens: readonly Token[], at: number, token: Token): Edit | null {
  const typeOf = KEYWORDS.get(token.keyword ?? '');
  if (typeOf === undefined || isLabel(tokens[at - 1])) return null;
  const text = `${PROOF_SCHEMA}."${token.text.toLowerCase()}"()`;
  const precision = tokens[at + 2];
  const close = tokens[at + 3];
  if (tokens[at + 1]?.text !== '(' || precision?.kind !== 'number' || close === undefined) {
    return { start: token.start, end: token.end, text };
  }
  return { start: token.start, end: close.end, text: `${text}::${typeOf(precision.text)}` };
}

function functionEdit(tokens: readonly Token[], at: number, token: Token): Edit[] {
  const name = token.text.startsWith('"') ? token.text.slice(1, -1) : token.text.toLowerCase();
  const called = tokens[at + 1]?.text === '(' && tokens[at + 2]?.text === ')';
  if (!FUNCTIONS.has(name) || !called) return [];
  const qualifier = tokens[at - 1]?.text === '.' ? tokens[at - 2] : undefined;
  if (qualifier !== undefined && qualifier.text.toLowerCase() !== 'pg_catalog') return [];
  const start = qualifier?.start ?? token.start;
  return [{ start, end: token.end, text: `${PROOF_SCHEMA}.${name}` }];
}

/** `AS current_date`, `t.current_date`, and a label without AS: `price current_date`. */
function isLabel(before: Token | undefined): boolean {
  if (before === undefined) return false;
  if (before.text === '.' || before.keyword === 'AS') return true;
  const endsExpression = before.kind === 'number' || before.kind === 'string';
  return (
    endsExpression || (before.kind === 'word' && before.keyword === null && !isPlpgsql(before))
  );
}

/** Words of PL/pgSQL after which an expression begins, and that SQL does not know. */
function isPlpgsql(token: Token): boolean {
  return ['ELSIF', 'ELSEIF', 'WHILE', 'PERFORM', 'ASSERT', 'QUERY'].includes(
    token.text.toUpperCase(),
  );
}

/** A stretch between semicolons in which any string is a statement: all its strings are parts. */
function dynamicEdits(body: string): Edit[] {
  const edits: Edit[] = [];
  let strings: Token[] = [];
  let dynamic = false;
  for (const token of [...codeTokens(body), null]) {
    if (token?.kind === 'string') {
      strings.push(token);
      dynamic ||= isStatement(token.text);
    }
    if (token !== null && token.text !== ';') continue;
    if (dynamic) edits.push(...strings.flatMap(editsInString));
    strings = [];
    dynamic = false;
  }
  return edits;
}

function isStatement(literal: string): boolean {
  const { text } = contentOf(literal);
  return STATEMENT_WORDS.has(/^\s*([a-z]+)/iu.exec(text)?.[1]?.toUpperCase() ?? '');
}

/** What replaces a clock function has no quote in it, so it fits into any string as it is. */
function editsInString(token: Token): Edit[] {
  const { text, offset } = contentOf(token.text);
  return clockEdits(text).map((edit) => ({
    ...edit,
    start: token.start + offset + edit.start,
    end: token.start + offset + edit.end,
  }));
}

/** The text between the quotes, escapes left as they are, and where it begins. */
function contentOf(literal: string): { text: string; offset: number } {
  const dollar = /^\$[^$]*\$/u.exec(literal)?.[0];
  if (dollar !== undefined) {
    return { text: literal.slice(dollar.length, -dollar.length), offset: dollar.length };
  }
  const offset = literal.indexOf("'") + 1;
  // A doubled quote is one more character to the scanner: blanks keep the places.
  return { text: literal.slice(offset, -1).replaceAll("''", '  '), offset };
}
