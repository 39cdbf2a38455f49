/** Reads any routine of a PostgreSQL catalog into a program. */
import type { Routine } from '../../catalog/types.ts';
import type { CodeText, Step } from '../program.ts';
import { commentsByLine } from './comments.ts';
import { offsetMapper, parseSql } from './parser.ts';
import { readPlpgsql } from './plpgsql.ts';

/** Throws the parser's error where the body does not parse. */
export function readProgram(routine: Routine): readonly Step[] {
  return routine.language === 'sql' ? readSqlBody(routine) : readPlpgsql(routine);
}

/** A body in SQL: one statement after the other; the last query gives the result. */
function readSqlBody(routine: Routine): readonly Step[] {
  const body = bodyText(routine);
  const toIndex = offsetMapper(body);
  const comments = commentsByLine(body);
  const statements = parseSql(body).stmts ?? [];
  return statements.map(({ stmt, stmt_location: location, stmt_len: length }, index): Step => {
    const start = toIndex(location ?? 0);
    const end =
      length === undefined || length === 0 ? body.length : toIndex((location ?? 0) + length);
    const whole = body.slice(start, end);
    const lead = leadingSpace(whole);
    const line = body.slice(0, start + lead).split('\n').length;
    const text = whole.slice(lead).trimEnd();
    const code: CodeText = { text, line, comments: comments(line, text.split(/\s/u, 1)[0] ?? '') };
    const isResult =
      index === statements.length - 1 &&
      routine.kind === 'function' &&
      routine.returns !== 'void' &&
      stmt !== undefined &&
      'SelectStmt' in stmt;
    if (isResult) return { kind: 'return-query', line, query: { kind: 'query', query: code } };
    return { kind: 'statement', line, code, into: null, strict: false };
  });
}

/** `BEGIN ATOMIC … END` keeps its statements without the words around them. */
function bodyText(routine: Routine): string {
  const atomic = /^\s*begin\s+atomic\b/iu.exec(routine.body);
  if (!atomic) return routine.body;
  return (
    ' '.repeat(atomic[0].length) +
    routine.body.slice(atomic[0].length).replace(/\bend\s*;?\s*$/iu, '')
  );
}

/** Length of the white space and comments in front of a statement. */
function leadingSpace(text: string): number {
  let at = 0;
  for (;;) {
    const rest = text.slice(at);
    const skipped = /^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)/u.exec(rest);
    if (!skipped) return at;
    at += skipped[0].length;
  }
}
