/** Binds the query of a statement, with what its outputs are: sequence values, random ones. */
import type { BoundQuery } from '../bound.ts';
import { sql, text } from '../fragment.ts';
import type { Node, SelectStmt } from 'libpg-query';
import type { Binder } from './bind.ts';
import { endOfStatement } from './clauses.ts';
import { isRandom } from './clock.ts';
import { functionPath, walk } from './tree.ts';
import type { WriteContext } from './write-context.ts';
import { refuse } from '../refusals.ts';

/** Binds the query of a statement between two tokens. */
export function bindQuery(
  select: SelectStmt,
  context: WriteContext,
  start: number,
  beforeToken: number | undefined,
): BoundQuery {
  const { source, binder } = context;
  const sequenceColumns = bindSequences(select, context);
  const readsBefore = binder.reads.length;
  const randomBefore = binder.random.length;
  const shape = binder.query(select, context.outer);
  refuseHiddenRandom(select, binder, randomBefore);
  const end =
    beforeToken === undefined ? endOfStatement(source) : (source.tokens[beforeToken]?.start ?? 0);
  const body = source.slice(start, end);
  const nested = context.withClause.length > 0 && select.withClause !== undefined;
  return {
    sql:
      context.withClause.length === 0
        ? body
        : sql`${context.withClause}\n${nested ? sql`(${body})` : body}`,
    columns: shape.columns,
    keys: shape.keys,
    order: shape.order ?? null,
    reads: binder.reads.slice(context.withClause.length > 0 ? 0 : readsBefore),
    randomColumns: positionsWith(select, isRandom),
    sequenceColumns,
    loopColumns: shape.loopColumns ?? [],
    loopReads: [...binder.loopReads],
  };
}

/** Direct `nextval` outputs become row numbers; the rule adds what the column has so far. */
function bindSequences(select: SelectStmt, context: WriteContext): number[] {
  const { source, binder } = context;
  const found: number[] = [];
  const replace = (node: Node | undefined, position: number, value: string): void => {
    const call = node && 'TypeCast' in node ? node.TypeCast.arg : node;
    if (!call || !('FuncCall' in call) || functionPath(call.FuncCall).join('.') !== 'nextval')
      return;
    const start = source.index(call.FuncCall.location);
    binder.sequenceCalls.add(start);
    source.edit(start, source.endOfBrackets(start), text(value));
    if (!found.includes(position)) found.push(position);
  };
  for (const [index, row] of (select.valuesLists ?? []).entries()) {
    const items = 'List' in row ? (row.List.items ?? []) : [];
    for (const [position, item] of items.entries()) replace(item, position, String(index + 1));
  }
  if (!select.distinctClause && !select.larg) {
    for (const [position, item] of (select.targetList ?? []).entries()) {
      replace(
        'ResTarget' in item ? item.ResTarget.val : undefined,
        position,
        'row_number() over ()',
      );
    }
  }
  return found;
}

/** random() and its kin may give the value of a column; they may not decide which rows there are. */
function refuseHiddenRandom(select: SelectStmt, binder: Binder, before: number): void {
  const calls = binder.random.slice(before);
  const [first] = calls;
  let inOutputs = 0;
  for (const target of select.targetList ?? select.valuesLists ?? []) {
    walk(target, (node) => {
      if ('FuncCall' in node && isRandomCall(node)) inOutputs += 1;
    });
  }
  const grouped = select.groupClause || select.distinctClause || select.larg;
  if (!first || (calls.length === inOutputs && !grouped)) return;
  refuse('volatile', first, 'The rows depend on a value that no two runs share.');
}

function isRandomCall(node: object): boolean {
  const { FuncCall: call } = node as Extract<Node, { FuncCall: unknown }>;
  return isRandom(functionPath(call).at(-1) ?? '');
}

/** Positions of outputs in whose expression a function is called. */
function positionsWith(select: SelectStmt, matches: (name: string) => boolean): readonly number[] {
  const lists = [
    select.targetList ?? [],
    ...(select.valuesLists ?? []).map((row) => ('List' in row ? (row.List.items ?? []) : [])),
  ];
  const found = new Set<number>();
  for (const list of lists) {
    for (const [position, item] of list.entries()) {
      walk(item, (node) => {
        if (
          'FuncCall' in node &&
          matches(
            functionPath((node as Extract<Node, { FuncCall: unknown }>).FuncCall).at(-1) ?? '',
          )
        )
          found.add(position);
      });
    }
  }
  return [...found];
}
