/** Binds names in expressions: columns stay, variables become their values. */
import { sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { Node } from 'libpg-query';
import type { Binder } from './bind.ts';
import { findBareColumn, findColumn, findItem, isSystemColumn } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import { columnPath } from './tree.ts';
import { refuse } from '../refusals.ts';

/** A name of one or more parts: a column, or a variable in whose place its value is put. */
export function bindName(
  binder: Binder,
  path: readonly string[],
  start: number,
  scope: Scope | null,
): void {
  const end = binder.source.endOfName(start, path.length);
  if (isSystemColumn(path.at(-1) ?? '') && binder.environment.variable(path) === null) {
    refuse(
      'system-column',
      binder.place(start, end - start),
      `${path.join('.')} is a system column.`,
    );
  }
  if (path.length === 1 && path[0] !== '*') {
    const name = path[0] ?? '';
    const column = findBareColumn(scope, name);
    const value = binder.environment.variable(path);
    if (column && column !== 'maybe' && !(value && binder.environment.prefersVariables())) {
      refuseRandom(binder, column.item, name, start);
      qualify(binder, column.item, name, start, end);
      return;
    }
    if (value) put(binder, start, end, value.sql);
    else if (column === null && !findItem(scope, name)) {
      if (name === 'found')
        refuse(
          'unprovable-count',
          binder.place(start, end - start),
          'FOUND tells of a statement whose rows are not known here.',
        );
      refuse(
        'unknown-name',
        binder.place(start, end - start),
        `There is no column or variable ${name} here.`,
      );
    }
    return;
  }
  const item = findItem(scope, path.at(-2) ?? '');
  if (path.length === 1) return;
  if (item) {
    refuseRandom(binder, item, path.at(-1) ?? '', start);
    // The version has another name than the table: the schema in front must go.
    if (path.length > 2)
      binder.source.edit(
        start,
        binder.source.endOfName(start, path.length - 1),
        text(identifier(item.alias)),
      );
    return;
  }
  const value = binder.environment.variable(path);
  if (value) binder.source.edit(start, end, value.sql);
  else if (!findItem(scope, path[0] ?? '') && findBareColumn(scope, path[0] ?? '') === null) {
    refuse(
      'unknown-name',
      binder.place(start, end - start),
      `There is no table or variable ${path[0]} here.`,
    );
  }
}

/** Values that no two runs share may be stored, but nothing may depend on them. */
function refuseRandom(binder: Binder, item: RangeItem, name: string, start: number): void {
  const table = item.version?.owner;
  if (!table || !binder.environment.isRandom(table, name)) return;
  refuse('volatile', binder.place(start), `${table}.${name} has random values.`);
}

/** Inside a loop the loop's row stands beside the author's tables: bare names must say whose they are. */
function qualify(binder: Binder, item: RangeItem, name: string, start: number, end: number): void {
  const loop = binder.environment.loopItems();
  if (loop.length === 0 || loop.includes(item) || item.alias === '') return;
  binder.source.edit(start, end, text(`${identifier(item.alias)}.${identifier(name)}`));
}

/** An output without AS is called after its variable; the value in its place must be as well. */
export function nameOutputs(binder: Binder, targets: readonly Node[], scope: Scope): void {
  for (const target of targets) {
    const { name, val } = 'ResTarget' in target ? target.ResTarget : {};
    if (name !== undefined || !val || !('ColumnRef' in val)) continue;
    const path = columnPath(val.ColumnRef);
    const isColumn =
      findColumn(scope, path) !== null &&
      !(path.length === 1 && binder.environment.prefersVariables());
    if (path.at(-1) === '*' || isColumn) continue;
    const value = binder.environment.variable(path);
    const start = binder.source.index(val.ColumnRef.location);
    const end = binder.source.endOfName(start, path.length);
    if (value)
      binder.source.edit(start, end, sql`${value.sql} as ${identifier(path.at(-1) ?? '')}`);
  }
}

/** A value in place of a variable's name; in brackets where it is subscripted. */
function put(binder: Binder, start: number, end: number, value: Fragment): void {
  const next = binder.source.tokens.find((token) => token.start >= end);
  const subscripted = next?.text === '[';
  binder.source.edit(start, end, subscripted ? bracketed(value) : value);
}

/** A fragment in brackets, as one value inside a larger expression. */
function bracketed(fragment: Fragment): Fragment {
  return sql`(${fragment})`;
}
