/** Recognises a query that is nothing but one call: `select f(a, b)`. */
import type { CallArgument } from '../bound.ts';
import type { CodeText } from '../program.ts';
import type { Place } from '../refusals.ts';
import { Binder } from './bind.ts';
import type { BindEnvironment } from './environment.ts';
import { parseSql } from './parser.ts';
import { newScope } from './scope.ts';
import { SourceText } from './source.ts';
import { bindArguments } from './call-arguments.ts';
import { functionPath } from './tree.ts';

export interface CallText {
  readonly path: readonly string[];
  readonly arguments: readonly CallArgument[];
  readonly place: Place;
}

export function bindCallText(code: CodeText, environment: BindEnvironment): CallText | null {
  const statement = parseSql(code.text).stmts?.[0]?.stmt;
  if (!statement || !('SelectStmt' in statement)) return null;
  const { targetList, fromClause, whereClause } = statement.SelectStmt;
  const [only] = targetList ?? [];
  if (fromClause || whereClause || targetList?.length !== 1 || !only || !('ResTarget' in only))
    return null;
  const value = only.ResTarget.val;
  if (!value || !('FuncCall' in value) || value.FuncCall.over || value.FuncCall.agg_star)
    return null;
  const source = new SourceText(code.text, code.line);
  const binder = new Binder(source, environment);
  const start = source.index(value.FuncCall.location);
  const context = {
    source,
    environment,
    binder,
    outer: newScope(null),
    firstToken: 0,
    withClause: [],
    lines: { first: code.line, last: source.lastLine() },
    comments: code.comments,
  };
  const path = functionPath(value.FuncCall);
  return {
    path,
    arguments: bindArguments(value.FuncCall.args ?? [], context, start),
    place: binder.place(start, 120),
  };
}
