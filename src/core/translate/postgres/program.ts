/** Reads any routine of a PostgreSQL catalog into a program. */
import type { Routine } from '../../catalog/types.ts';
import type { CodeText, Step } from '../program.ts';
import { commentsByLine } from './comments.ts';
import { readPlpgsql } from './plpgsql.ts';
import { splitStatements } from './split.ts';

/** A routine is looked at by several parts, and by each of its callers; reading it is what costs. */
const known = new WeakMap<Routine, readonly Step[]>();

/** Throws the parser's error where the body does not parse. */
export function readProgram(routine: Routine): readonly Step[] {
  const before = known.get(routine);
  if (before) return before;
  const steps = routine.language === 'sql' ? readSqlBody(routine) : readPlpgsql(routine);
  known.set(routine, steps);
  return steps;
}

/** A body in SQL: one statement after the other; the last query gives the result. */
function readSqlBody(routine: Routine): readonly Step[] {
  const body = bodyText(routine);
  const comments = commentsByLine(body);
  const statements = splitStatements(body);
  return statements.map(({ text, line, node }, index): Step => {
    const code: CodeText = { text, line, comments: comments(line, text.split(/\s/u, 1)[0] ?? '') };
    const isResult =
      index === statements.length - 1 &&
      routine.kind === 'function' &&
      routine.returns !== 'void' &&
      node !== undefined &&
      'SelectStmt' in node;
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
