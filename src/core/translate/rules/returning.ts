/** RETURNING that names tables of FROM or USING beside the one that is written. */
import type { BoundDelete, BoundUpdate } from '../bound.ts';
import { from, sql } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { AmbiguityCheck, RuleContext, WriteResult } from './context.ts';
import { columnOf } from './context.ts';
import { identifiedRows } from './identify.ts';

/**
 * Each written row beside a row of `others` that matches it; `written` gives the row's new values.
 * PostgreSQL takes any of several matches. So does the model, and a check tells where they differ.
 */
export function returnedBeside(
  statement: BoundUpdate | BoundDelete,
  context: RuleContext,
  others: Fragment | null,
  written: Fragment | null,
): Pick<WriteResult, 'returned' | 'checks'> {
  const { returning, singleMatch, prefix, where, place } = statement;
  if (!returning?.others || !others) return { checks: [] };
  const alias = identifier(statement.table.alias);
  const { rows, key } = singleMatch
    ? { rows: context.current, key: null }
    : identifiedRows(context, statement.lines);
  const columns = key?.columns.map((column) => columnOf(statement.table.alias, column)) ?? [];
  const keys = columns.flatMap((column, index) => (index === 0 ? column : sql`, ${column}`));
  const source = written === null ? sql`` : sql`\n    from (${written}) as ${alias}`;
  const select = (list: Fragment): Fragment =>
    sql`${prefix ?? []}select ${list}\nfrom ${from(rows)} as ${alias}, ${others}\ncross join lateral (\n    select ${returning.list}${source}\n) as returned\nwhere ${where ?? 'true'}`;
  if (key === null) return { returned: select(sql`returned.*`), checks: [] };
  const check: AmbiguityCheck = {
    line: place.line,
    message:
      'Several rows match one row that is written; which of them RETURNING shows depends on their order.',
    query: sql`${select(keys)}\ngroup by ${keys}\nhaving count(distinct returned::text) > 1`,
  };
  return { returned: select(sql`distinct on (${keys}) returned.*`), checks: [check] };
}
