/** How many rows a statement of a loop's body reads or writes, for the row of the loop at hand. */
import type { BoundStatement, BoundWrite } from '../bound.ts';
import type { Evaluation } from '../evaluate.ts';
import { from, sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { State } from '../state.ts';

/**
 * What FOUND and ROW_COUNT tell after a statement of the body; `state` is the one that it found.
 * Other iterations don't change what it sees: the loop is refused where they could.
 */
export function rowsOfEach(
  evaluation: Evaluation,
  state: State,
  bound: BoundStatement | null,
): State['lastRows'] {
  if (bound?.kind === 'query') return counted(bound.query.sql);
  if (bound?.kind === 'insert' && !bound.conflict)
    return bound.query
      ? counted(bound.query.sql)
      : { kind: 'each', found: text('true'), count: text('1') };
  if ((bound?.kind === 'update' || bound?.kind === 'delete') && !bound.prefix) {
    const rows = reached(evaluation, state, bound);
    if (rows) return rows;
  }
  return { kind: 'unknown', reason: 'The rows of one iteration are not told apart.' };
}

function counted(query: Fragment): State['lastRows'] {
  return {
    kind: 'each',
    found: sql`(exists (${query}))`,
    count: sql`(select count(*) from (${query}) as counted)`,
  };
}

/** Rows of the table that an UPDATE or a DELETE reaches. */
function reached(
  evaluation: Evaluation,
  state: State,
  bound: Extract<BoundWrite, { kind: 'update' | 'delete' }>,
): State['lastRows'] | null {
  const version = evaluation.environment(state).shapeOf(bound.table.name)?.version;
  if (!version) return null;
  const others = bound.kind === 'update' ? bound.from : bound.using;
  const list = sql`${from(version)} as ${identifier(bound.table.alias)}${others ? sql`, ${others}` : ''}`;
  const rows = sql`from ${list}${bound.where ? sql` where ${bound.where}` : ''}`;
  return {
    kind: 'each',
    found: sql`(exists (select 1 ${rows}))`,
    // A row that several rows of the list match is reached once.
    count: others ? null : sql`(select count(*) ${rows})`,
  };
}
