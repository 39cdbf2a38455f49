/** The rows of a loop while its body is done for all of them at once. */
import type { Evaluation } from '../evaluate.ts';
import { from, sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { LoopRows } from '../state.ts';
import type { ColumnInfo } from '../version.ts';

export function rowsFrom(loop: LoopRows): Fragment {
  return sql`${from(loop.rows)} as ${identifier(loop.alias)}`;
}

/** The loop's rows with more columns, or with other values in columns that they have. */
export function withColumns(
  evaluation: Evaluation,
  loop: LoopRows,
  added: readonly {
    readonly name: string;
    readonly type: string | null;
    readonly value: Fragment;
  }[],
  joined: Fragment,
  line: number,
  title: string,
): LoopRows {
  const { rows, alias } = loop;
  if (rows.columns === null) {
    throw evaluation.refusal(
      'loop',
      line,
      title,
      "The columns of the loop's query can't be told from its text.",
    );
  }
  const kept = rows.columns.filter((column) => !added.some((item) => item.name === column.name));
  const list = [
    ...kept
      .map((column) => `${identifier(alias)}.${identifier(column.name)}`)
      .map((value) => text(value)),
    ...added.map((item) => sql`${item.value} as ${identifier(item.name)}`),
  ];
  const columns: ColumnInfo[] = [...kept, ...added.map(({ name, type }) => ({ name, type }))];
  const lines = list.flatMap((item, index) => (index === 0 ? item : sql`,\n    ${item}`));
  const changes = (column: string): boolean => added.some(({ name }) => name === column);
  return {
    ...loop,
    order: loop.order?.some(({ column }) => changes(column)) ? null : loop.order,
    rows: evaluation.session.factory.make({
      ...rows,
      title,
      lines: { first: line, last: line },
      columns,
      keys: rows.keys.filter((key) => !key.some(changes)),
      body: {
        kind: 'query',
        head: null,
        sql: sql`select\n    ${lines}\nfrom ${rowsFrom(loop)}${joined}`,
      },
    }),
  };
}

export function loopValue(loop: LoopRows, column: string): Fragment {
  return text(`${identifier(loop.alias)}.${identifier(column)}`);
}

export function rowsWhere(
  evaluation: Evaluation,
  loop: LoopRows,
  condition: Fragment,
  at: { readonly line: number },
): LoopRows {
  return {
    ...loop,
    rows: evaluation.session.factory.make({
      ...loop.rows,
      title: 'rows of the loop for which the condition holds',
      lines: { first: at.line, last: at.line },
      body: {
        kind: 'query',
        head: null,
        sql: sql`select ${identifier(loop.alias)}.*\nfrom ${rowsFrom(loop)}\nwhere ${condition}`,
      },
    }),
  };
}
