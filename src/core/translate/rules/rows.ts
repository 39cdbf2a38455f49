/** Rows that are added to a table, and how steps are called in comments. */
import type { BoundInsert } from '../bound.ts';
import { sql } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { union } from './context.ts';
import type { RuleContext } from './context.ts';
import type { Version } from '../version.ts';

/** Rows that an INSERT proposes, and by which columns they are unique of themselves. */
export interface Proposal {
  readonly rows: Version;
  readonly keys: Version['keys'];
}

/** The table with more rows. */
export function appended(
  context: RuleContext,
  base: Version,
  added: readonly Version[],
  at: Pick<BoundInsert, 'lines' | 'table'>,
): Version {
  if (base.body.kind === 'empty') return union(context, added, { ...titled(at), change: null });
  return union(context, [base, ...added], {
    ...titled(at),
    change: { kind: 'append', base, added },
  });
}

function titled(at: Pick<BoundInsert, 'lines' | 'table'>): {
  title: string;
  lines: BoundInsert['lines'];
} {
  return { title: `rows of ${shown(at.table.name)}`, lines: at.lines };
}

export function shown(name: { readonly schema: string; readonly name: string }): string {
  return name.schema === '' ? name.name : `${name.schema}.${name.name}`;
}

export function withComments(comments: readonly string[], fragment: Fragment): Fragment {
  return comments.length === 0 ? fragment : sql`${comments.join('\n')}\n${fragment}`;
}
