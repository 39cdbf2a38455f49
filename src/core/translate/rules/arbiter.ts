/** On which unique index the rows of INSERT … ON CONFLICT collide. */
import type { BoundInsert, Conflict, ConflictTarget } from '../bound.ts';
import { from, sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { canonicalExpression, plainColumn } from '../postgres/index-expression.ts';
import { refuse } from '../refusals.ts';
import type { ShapeIndex, ShapeKey } from '../table.ts';
import type { Version } from '../version.ts';
import type { RuleContext } from './context.ts';
import { shown } from './rows.ts';

export interface Arbiter {
  readonly key: ShapeKey;
  /** The table's rows and the proposed ones, each with the columns of `key`. */
  readonly base: Version;
  readonly proposed: Version;
}

/** Null where no proposed row can collide. */
export function arbiterOf(
  statement: BoundInsert,
  conflict: Conflict,
  proposed: Version,
  context: RuleContext,
): Arbiter | null {
  const found = chosenKey(statement, conflict, context);
  if (found === null) return null;
  if (!('parts' in found)) return { key: found, base: context.current, proposed };
  return indexed(statement, found, proposed, context);
}

function chosenKey(
  statement: BoundInsert,
  { constraint, target }: Conflict,
  context: RuleContext,
): ShapeKey | ShapeIndex | null {
  const { keys, indexes } = context.shape;
  if (constraint !== null) {
    const key = keys.find((candidate) => candidate.name === constraint);
    if (!key)
      refuse(
        'missing-column',
        statement.place,
        `There is no unique constraint ${constraint} over plain columns.`,
      );
    return key;
  }
  if (target !== null) return inferred(statement, target, context);
  const possible = [
    ...keys.filter((key) => !key.columns.some((column) => isFresh(column, statement, context))),
    ...indexes,
  ];
  if (possible.length > 1) {
    refuse(
      'several-unique-keys',
      statement.place,
      `The table has ${possible.length} unique keys and the statement names none of them.`,
    );
  }
  return possible[0] ?? null;
}

/** A fresh value of a sequence collides with nothing. */
function isFresh(name: string, statement: BoundInsert, { shape }: RuleContext): boolean {
  const given = statement.columns ?? shape.columns?.map((column) => column.name) ?? [];
  return (
    shape.columns?.find((column) => column.name === name)?.surrogate === true &&
    (!given.includes(name) || statement.defaulted.includes(name))
  );
}

/** The unique index that a conflict target means. */
function inferred(
  statement: BoundInsert,
  target: ConflictTarget,
  { shape }: RuleContext,
): ShapeKey | ShapeIndex {
  const count = target.columns.length + target.expressions.length;
  const shownTarget = [...target.columns, ...target.expressions.map(() => '…')].join(', ');
  const keys = shape.keys.filter(({ columns }) => sameElements(columns, target.columns));
  const indexes = shape.indexes.filter(({ parts, predicate }) => {
    const columns = parts.flatMap((part) => plainColumn(part) ?? []);
    const fits = parts.length === count && sameElements(columns, target.columns);
    return fits && (predicate === null || target.partial);
  });
  const alike = indexes.filter(({ parts }) =>
    sameElements(
      parts.flatMap((part) => (plainColumn(part) === null ? canonicalExpression(part) : [])),
      target.expressions,
    ),
  );
  const candidates = [
    ...(target.expressions.length === 0 ? keys : []),
    ...(indexes.length > 1 ? alike : indexes),
  ];
  const [key, ...others] = candidates;
  if (!key)
    refuse('missing-column', statement.place, `There is no unique key over (${shownTarget}).`);
  if (others.length > 0)
    refuse(
      'several-unique-keys',
      statement.place,
      `The table has several unique indexes over (${shownTarget}).`,
    );
  return key;
}

function sameElements(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((element) => others.includes(element));
}

/**
 * Puts what the index covers beside each row, as columns. Outside of a partial index they are
 * NULL, and NULLs collide with nothing.
 */
function indexed(
  statement: BoundInsert,
  index: ShapeIndex,
  proposed: Version,
  context: RuleContext,
): Arbiter {
  if (index.nullsCollide && index.predicate !== null)
    refuse(
      'several-unique-keys',
      statement.place,
      `The unique index ${index.name} covers some rows only, and NULLs collide in it.`,
    );
  const columns = index.parts.map((_part, position) => `indexed_${position + 1}`);
  const key: ShapeKey = {
    name: index.name,
    columns,
    primary: false,
    notNull: false,
    nullsCollide: index.nullsCollide,
  };
  const withKey = (rows: Version): Version => {
    if (rows.body.kind === 'empty') return rows;
    const list = index.parts.map((part, position): Fragment => {
      const value =
        index.predicate === null ? part : `case when ${index.predicate} then ${part} end`;
      return sql`,\n    ${value} as ${columns[position] ?? ''}`;
    });
    return context.factory.make({
      label: `${context.shape.name.name}_indexed`,
      title: `${shown(context.shape.name)}: what the unique index ${index.name} covers`,
      lines: statement.lines,
      columns: [...(rows.columns ?? []), ...columns.map((name) => ({ name, type: null }))],
      keys: rows.keys,
      change: null,
      owner: null,
      dataFree: rows.dataFree,
      body: {
        kind: 'query',
        head: null,
        sql: sql`select\n    indexed_rows.*${list.flat()}\nfrom ${from(rows)} as ${text('indexed_rows')}`,
      },
    });
  };
  return { key, base: withKey(context.current), proposed: withKey(proposed) };
}
