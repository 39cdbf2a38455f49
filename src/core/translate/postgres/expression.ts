/** Binds an expression of PL/pgSQL, which stands alone, outside any query. */
import type { BindEnvironment } from './environment.ts';
import type { LoopRead } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import type { CodeText } from '../program.ts';
import { Binder } from './bind.ts';
import { parseSql } from './parser.ts';
import { newScope } from './scope.ts';
import { SourceText } from './source.ts';
import { walk } from './tree.ts';

const PREFIX = 'select ';

export interface BoundExpression {
  readonly sql: Fragment;
  readonly type: string | null;
  /** It contains a query over relations. */
  readonly queries: boolean;
  readonly loopReads: readonly LoopRead[];
}

export function bindExpression(code: CodeText, environment: BindEnvironment): BoundExpression {
  const source = new SourceText(PREFIX + code.text, code.line);
  const node = parseSql(source.text).stmts?.[0]?.stmt;
  if (!node || !('SelectStmt' in node))
    return { sql: [], type: null, queries: false, loopReads: [] };
  const binder = new Binder(source, environment);
  binder.namesOutputs = false;
  const scope = newScope(null);
  scope.items.push(...environment.loopItems());
  const shape = binder.query(node.SelectStmt, scope);
  let queries = node.SelectStmt.fromClause !== undefined;
  walk(node, (at) => {
    if ('SubLink' in at) queries = true;
  });
  return {
    // PL/pgSQL also takes `x := max(a) from t`: a query without its SELECT.
    sql:
      node.SelectStmt.fromClause === undefined
        ? source.slice(PREFIX.length, source.text.length)
        : [
            { kind: 'text', text: '(' },
            ...source.slice(0, source.text.length),
            { kind: 'text', text: ')' },
          ],
    type: shape.columns?.[0]?.type ?? null,
    queries,
    loopReads: binder.loopReads,
  };
}
