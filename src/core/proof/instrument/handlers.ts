/**
 * Takes handlers that only log out of a procedure: with them, a procedure that fails looks like one
 * that changes nothing, and a model that changes nothing would be proven equal to it.
 */
import type { QualifiedName } from '../../catalog/types.ts';
import type { Token } from '../../translate/postgres/parser.ts';
import { codeTokens, edited } from './clock.ts';
import type { Edit } from './clock.ts';
import { startsStatement, structureOf, wordAt } from './structure.ts';

export interface WithoutHandlers {
  readonly body: string;
  /** Lines of the body on which removed handlers began, first line 1. */
  readonly removed: readonly number[];
  /** Lines of handlers that do more than log, and stay. */
  readonly kept: readonly number[];
}

/** What may stand in a handler that only logs; writes are judged by their table. */
const HARMLESS = new Set([
  ...'RAISE NULL GET PERFORM CALL RETURN ROLLBACK COMMIT SELECT'.split(' '),
  ...'IF ELSIF ELSEIF ELSE END BEGIN DECLARE WHEN CASE EXCEPTION'.split(' '),
]);

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE']);

/** `writes` are the tables that the procedure is there for; writing them is not logging. */
export function withoutLogHandlers(
  body: string,
  writes: readonly QualifiedName[],
): WithoutHandlers {
  const tokens = codeTokens(body);
  const edits: Edit[] = [];
  const removed: number[] = [];
  const kept: number[] = [];
  for (const { begin, from, to } of structureOf(tokens).sections) {
    // The translator takes this one for ON CONFLICT DO NOTHING.
    if (skipsDuplicate(tokens.slice(begin + 1, from), tokens.slice(from, to))) continue;
    const first = tokens[from];
    const end = tokens[to];
    if (first === undefined || end === undefined) continue;
    const line = newlines(body.slice(0, first.start)).length + 1;
    if (!onlyLogs(tokens.slice(from, to), writes)) {
      kept.push(line);
      continue;
    }
    removed.push(line);
    // Lines keep their numbers, so that the server's messages point into the author's text.
    edits.push({
      start: first.start,
      end: end.start,
      text: newlines(body.slice(first.start, end.start)),
    });
  }
  return { body: edited(body, outermost(edits)), removed, kept };
}

/** A lone INSERT … VALUES whose handler lets a row go whose key is there already. */
function skipsDuplicate(body: readonly Token[], section: readonly Token[]): boolean {
  const words = section.map((_, at) => wordAt(section, at));
  const quiet = section.every(
    (_, at) => !startsStatement(section, at) || at === 0 || QUIET.has(wordAt(section, at)),
  );
  return (
    wordAt(body, 0) === 'INSERT' &&
    body.some((_, at) => wordAt(body, at) === 'VALUES') &&
    body.findIndex(({ text }) => text === ';') === body.length - 1 &&
    words[2] === 'UNIQUE_VIOLATION' &&
    words[3] === 'THEN' &&
    words.filter((word) => word === 'WHEN').length === 1 &&
    !words.some((word, at) => word === 'RAISE' && !LEVELS.has(words[at + 1] ?? '')) &&
    quiet
  );
}

const QUIET: ReadonlySet<string> = new Set(['NULL', 'RAISE']);
const LEVELS: ReadonlySet<string> = new Set('NOTICE INFO LOG DEBUG WARNING'.split(' '));

function onlyLogs(section: readonly Token[], writes: readonly QualifiedName[]): boolean {
  return section.every((_, at) => {
    if (!startsStatement(section, at)) return true;
    const word = wordAt(section, at);
    if (HARMLESS.has(word)) return true;
    if (WRITES.has(word)) return !writes.some((table) => targets(section, at, table));
    const operator = section.slice(at + 1, at + 5).find((token) => isAssignment(token.text));
    return operator !== undefined;
  });
}

function isAssignment(text: string): boolean {
  return text === ':=' || text === '=';
}

/** Whether the write that begins at a token goes to a table; `INSERT INTO s.t`, `UPDATE ONLY t`. */
function targets(tokens: readonly Token[], at: number, table: QualifiedName): boolean {
  let name = at + 1;
  while (['INTO', 'FROM', 'ONLY'].includes(wordAt(tokens, name))) name += 1;
  const qualifiedName = tokens[name + 1]?.text === '.';
  const last = tokens[qualifiedName ? name + 2 : name];
  return last !== undefined && unquoted(last.text) === table.name;
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase();
}

/** A handler may hold a block with handlers of its own, which goes with it. */
function outermost(edits: readonly Edit[]): Edit[] {
  return edits.filter(
    (edit) => !edits.some((other) => other.start < edit.start && edit.end <= other.end),
  );
}

function newlines(text: string): string {
  return text.replaceAll(/[^\n]/gu, '');
}
