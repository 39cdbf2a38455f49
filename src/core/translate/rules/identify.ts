/** Rows of a table with something to find each of them by. */
import type { Fragment } from '../fragment.ts';
import { from, sql } from '../fragment.ts';
import { identifier, literal } from '../identifiers.ts';
import type { ShapeKey } from '../table.ts';
import { identifyingKey } from '../table.ts';
import type { Lines, Version } from '../version.ts';
import type { RuleContext } from './context.ts';

const ROW_NUMBER = 'row_of_table';

export interface IdentifiedRows {
  readonly rows: Version;
  readonly key: Pick<ShapeKey, 'columns'>;
}

/** By a key of the table, or by a number given to each row where it has none. */
export function identifiedRows(context: RuleContext, lines: Lines): IdentifiedRows {
  const key = identifyingKey(context.shape);
  if (key) return { rows: context.current, key };
  const rows = context.factory.make({
    ...context.current,
    label: `${context.shape.name.name}_numbered`,
    title: `rows of ${context.shape.name.name} with a number, since the table has no key`,
    lines,
    change: null,
    owner: null,
    body: {
      kind: 'query',
      head: null,
      sql: sql`select\n    *,\n    row_number() over () as ${ROW_NUMBER}\nfrom ${from(context.current)}`,
    },
  });
  return { rows, key: { columns: [ROW_NUMBER] } };
}

/** Names under which a step carries the key along. */
export function keyNames(key: Pick<ShapeKey, 'columns'>): readonly string[] {
  return key.columns.map((column) => identifier(`key_${column}`));
}

/** The key of an alias, under those names. */
export function keyColumns(key: Pick<ShapeKey, 'columns'>, alias: string): string {
  return key.columns
    .map(
      (column, index) =>
        `${identifier(alias)}.${identifier(column)} as ${keyNames(key)[index] ?? ''}`,
    )
    .join(',\n    ');
}

export function onKeyNames(key: Pick<ShapeKey, 'columns'>, step: string, alias: string): string {
  return key.columns
    .map(
      (column, index) =>
        `${step}.${keyNames(key)[index] ?? ''} = ${identifier(alias)}.${identifier(column)}`,
    )
    .join('\n    and ');
}

/**
 * A condition that holds where a step has one row for each key, and ends the query with an error
 * where it has more: casting the message to a number fails with the message in it.
 */
export function onceForEach(
  step: Version,
  key: Pick<ShapeKey, 'columns'>,
  message: string,
): Fragment {
  const names = keyNames(key).join(', ');
  const [first = ''] = keyNames(key);
  return sql`(select count(cast(${literal(message)} || ${first} as integer)) from (select ${names} from ${from(step)} group by ${names} having count(*) > 1) as repeated) = 0`;
}
