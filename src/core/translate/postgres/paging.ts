/** Finds LIMIT and OFFSET of the query that a statement inserts, and takes them off. */
import type { CodeText } from '../program.ts';
import { findClauses } from './clauses.ts';
import { parseSql } from './parser.ts';
import { SourceText } from './source.ts';
import { columnPath } from './tree.ts';

export interface Page {
  readonly limit: string;
  /** Name of the variable that holds the offset. */
  readonly offset: string;
  readonly ordered: boolean;
  /** The statement without its page. */
  readonly whole: CodeText;
}

export function pageOf(code: CodeText): Page | null {
  const statement = parseSql(code.text).stmts?.[0]?.stmt;
  if (!statement || !('InsertStmt' in statement)) return null;
  const query = statement.InsertStmt.selectStmt;
  if (!query || !('SelectStmt' in query)) return null;
  const { limitOffset, limitCount, sortClause } = query.SelectStmt;
  if (!limitOffset || !limitCount || !('ColumnRef' in limitOffset)) return null;
  const source = new SourceText(code.text, code.line);
  const clauses = findClauses(source, 0, ['LIMIT', 'OFFSET', 'ON CONFLICT', 'RETURNING']);
  const limit = clauses.find((clause) => clause.keyword === 'LIMIT')?.token;
  const offset = clauses.find((clause) => clause.keyword === 'OFFSET')?.token;
  if (limit === undefined || offset === undefined) return null;
  const after = clauses.find((clause) => clause.token > Math.max(limit, offset))?.token;
  const start = source.tokens[Math.min(limit, offset)]?.start ?? 0;
  const end =
    after === undefined ? code.text.length : (source.tokens[after]?.start ?? code.text.length);
  const limitEnd = limit < offset ? (source.tokens[offset]?.start ?? 0) : end;
  return {
    limit: code.text.slice(source.tokens[limit]?.end ?? 0, limitEnd).trim(),
    offset: columnPath(limitOffset.ColumnRef).join('.'),
    ordered: (sortClause ?? []).length > 0,
    whole: {
      ...code,
      text: `${code.text.slice(0, start).trimEnd()} ${code.text.slice(end)}`.trim(),
    },
  };
}
