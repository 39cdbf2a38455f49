/** Binds SET lists: of UPDATE, of ON CONFLICT DO UPDATE and of MERGE. */
import type { Assignment } from '../bound.ts';
import { sql } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import type { Node } from 'libpg-query';
import type { Binder } from './bind.ts';
import { splitAtCommas } from './clauses.ts';
import type { Scope } from './scope.ts';
import type { SourceText } from './source.ts';
import { slice } from './write-context.ts';
import type { WriteContext } from './write-context.ts';
import { refuse } from '../refusals.ts';

/** The assignments of a SET list. */
export function bindSet(
  targets: readonly Node[],
  scope: Scope,
  context: WriteContext,
  stretch: { start: number; end: number },
): Assignment[] {
  const { source, binder } = context;
  return splitAtCommas(source, stretch).flatMap((part): Assignment[] => {
    const first = source.tokenAt(part.start);
    const [equals] = findClausesOf(source, first, '=');
    const value = { start: source.tokens[equals ?? first]?.end ?? part.start, end: part.end };
    const inPart = targets.filter((node) => {
      const at = 'ResTarget' in node ? source.index(node.ResTarget.location) : -1;
      return at >= part.start && at < value.start;
    });
    return inPart.map((node): Assignment =>
      assignment(node, inPart.length, slice(source, value), scope, binder),
    );
  });
}

function assignment(
  node: Node,
  columns: number,
  value: Fragment,
  scope: Scope,
  binder: Binder,
): Assignment {
  const { name = '', val, indirection, location } = 'ResTarget' in node ? node.ResTarget : {};
  if (indirection)
    refuse(
      'statement',
      binder.place(binder.source.index(location)),
      'A part of a column is set: an array element or a field.',
    );
  if (val && 'SetToDefault' in val) return { column: name, value: 'default', type: null };
  if (val && 'MultiAssignRef' in val)
    return multiAssignment(
      name,
      val.MultiAssignRef.colno ?? 1,
      val.MultiAssignRef.source,
      columns,
      value,
      binder,
    );
  return { column: name, value, type: binder.typeOf(val, scope) };
}

/** `(a, b) = (…)`: one column of a row value or of a subquery with one row. */
function multiAssignment(
  column: string,
  position: number,
  from: Node | undefined,
  columns: number,
  value: Fragment,
  binder: Binder,
): Assignment {
  if (from && 'SubLink' in from) {
    const head = Array.from({ length: columns }, (_value, index) => `c${index + 1}`).join(', ');
    return {
      column,
      value: sql`(select c${String(position)} from ${value} as v (${head}))`,
      type: null,
    };
  }
  if (from && 'RowExpr' in from) {
    const { source } = binder;
    const row = from.RowExpr;
    const start = source.index(row.location);
    const first = source.tokenAt(start);
    const open = source.tokens[first]?.text === '(' ? first : first + 1;
    const stretch = {
      start: source.tokens[open]?.end ?? start,
      end: source.endOfBrackets(start) - 1,
    };
    const part = splitAtCommas(source, stretch)[position - 1];
    return { column, value: part ? source.slice(part.start, part.end) : value, type: null };
  }
  return { column, value, type: null };
}

function findClausesOf(source: SourceText, from: number, symbol: string): number[] {
  const at = source.tokens.findIndex((token, index) => index >= from && token.text === symbol);
  return at < 0 ? [] : [at];
}
