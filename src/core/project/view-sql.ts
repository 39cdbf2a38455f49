/** Turns the query of a database view into parts, with a hole for each relation that it reads. */
import type { RangeVar } from 'libpg-query';
import type { View } from '../catalog/types.ts';
import { offsetMapper, parseSql, scan } from '../translate/postgres/parser.ts';
import type { Token } from '../translate/postgres/parser.ts';
import { walk } from '../translate/postgres/tree.ts';
import type { SqlPart } from '../translate/types.ts';

/**
 * The catalog gives view queries with every relation qualified, so a name without a schema is a
 * CTE. `loadParser` must have been awaited.
 */
export function viewParts(view: View): readonly SqlPart[] {
  const toIndex = offsetMapper(view.sql);
  const tokens = scan(view.sql);
  const parts: SqlPart[] = [];
  let at = 0;
  for (const range of qualifiedRanges(view.sql)) {
    const start = toIndex(range.location ?? 0);
    const name = range.relname ?? '';
    parts.push({ kind: 'text', text: view.sql.slice(at, start) });
    parts.push({
      kind: 'relation',
      table: { schema: range.schemaname ?? '', name },
      state: 'current',
    });
    at = endOfName(tokens, start);
  }
  parts.push({ kind: 'text', text: view.sql.slice(at) });
  return parts;
}

/** Relations of a query that have a schema, in the order of the text. */
function qualifiedRanges(sql: string): RangeVar[] {
  const found: RangeVar[] = [];
  walk(parseSql(sql), (node) => {
    if ('RangeVar' in node && isRange(node.RangeVar)) found.push(node.RangeVar);
  });
  return found.toSorted((a, b) => (a.location ?? 0) - (b.location ?? 0));
}

function isRange(node: unknown): node is RangeVar {
  return typeof node === 'object' && node !== null && 'schemaname' in node && 'relname' in node;
}

/** Offset behind `schema . name`, which is three tokens. */
function endOfName(tokens: readonly Token[], start: number): number {
  const first = tokens.findIndex((token) => token.start === start);
  return tokens[first + 2]?.end ?? start;
}
