/** Binds the arguments of a call. */
import type { CallArgument } from '../bound.ts';
import type { Node } from 'libpg-query';
import { findClauses } from './clauses.ts';
import { names } from './tree.ts';
import type { WriteContext } from './write-context.ts';

/** Binds the arguments of a call whose function name starts at an index of the text. */
export function bindArguments(
  nodes: readonly Node[],
  context: WriteContext,
  callStart: number,
): CallArgument[] {
  const { source, binder } = context;
  const open = source.tokens.findIndex((token) => token.start >= callStart && token.text === '(');
  const start = source.tokens[open]?.end ?? 0;
  const end = source.endOfBrackets(source.tokens[open]?.start ?? 0) - 1;
  for (const node of nodes)
    binder.expression(
      'NamedArgExpr' in node && node.NamedArgExpr.arg ? node.NamedArgExpr.arg : node,
      null,
    );
  let from = start;
  const commas = findClauses(source, open + 1, [',']).map(
    ({ token }) => source.tokens[token]?.start ?? end,
  );
  return nodes.map((node, index): CallArgument => {
    const to = commas[index] ?? end;
    let at = from;
    if ('NamedArgExpr' in node) {
      const arrow = source.tokens.find(
        (token) => token.start >= from && (token.text === '=>' || token.text === ':='),
      );
      at = arrow?.end ?? from;
    }
    const value = source.slice(at, to);
    from = to + 1;
    const inner = 'NamedArgExpr' in node && node.NamedArgExpr.arg ? node.NamedArgExpr.arg : node;
    return {
      name: 'NamedArgExpr' in node ? (node.NamedArgExpr.name ?? null) : null,
      value,
      type: binder.typeOf(inner, null),
      variable: 'ColumnRef' in inner ? names(inner.ColumnRef.fields) : null,
    };
  });
}
