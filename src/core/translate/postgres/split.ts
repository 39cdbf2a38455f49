/** Splits a text of several SQL statements, with the line on which each starts. */
import { offsetMapper, parseSql } from './parser.ts';
import type { Node } from 'libpg-query';

export interface SplitStatement {
  readonly text: string;
  /** Line of the text, first line 1. */
  readonly line: number;
  readonly node: Node | undefined;
}

/** Throws the parser's error where the text does not parse. */
export function splitStatements(text: string): readonly SplitStatement[] {
  const toIndex = offsetMapper(text);
  return (parseSql(text).stmts ?? []).map(({ stmt, stmt_location: location, stmt_len: length }) => {
    const start = toIndex(location ?? 0);
    const end =
      length === undefined || length === 0 ? text.length : toIndex((location ?? 0) + length);
    const whole = text.slice(start, end);
    const lead = leadingSpace(whole);
    return {
      text: whole.slice(lead).trimEnd(),
      line: text.slice(0, start + lead).split('\n').length,
      node: stmt,
    };
  });
}

/** Length of the white space and comments in front of a statement. */
function leadingSpace(text: string): number {
  let at = 0;
  for (;;) {
    const skipped = /^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)/u.exec(text.slice(at));
    if (!skipped) return at;
    at += skipped[0].length;
  }
}
