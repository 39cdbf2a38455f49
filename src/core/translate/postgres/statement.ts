/**
 * Parses one SQL statement of a routine and binds it.
 *
 * A WITH clause that writes makes several parts of one statement. They are bound one after the
 * other, since a later part may read what an earlier one returns.
 */
import type { BoundStatement } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import type { CommonTableExpr, Node } from 'libpg-query';
import { Binder } from './bind.ts';
import { findClauses } from './clauses.ts';
import { bindSelectInto } from './create-as.ts';
import type { BindEnvironment } from './environment.ts';
import { bindOther } from './others.ts';
import { parseSql } from './parser.ts';
import { bindQuery } from './query.ts';
import { newScope } from './scope.ts';
import { SourceText } from './source.ts';
import { names } from './tree.ts';
import {
  withClauseEnd,
  withPrefixedSubqueries,
  withRelations,
  withoutCtes,
  writingCtes,
} from './with.ts';
import { common } from './write-context.ts';
import type { WriteContext } from './write-context.ts';
import { bindWrite } from './write.ts';
import type { CodeText } from '../program.ts';
import { refuse } from '../refusals.ts';
import type { Version } from '../version.ts';

/** One part of a statement: a CTE that stands alone, or the statement itself. */
export interface StatementPart {
  /** Name of the CTE; null for the statement itself. */
  readonly name: string | null;
  /** New names of its columns, as in `with name (a, b) as`; empty where there are none. */
  readonly head: readonly string[];
  /** `relations`: what the CTEs before it gave, by name. */
  bind(relations: ReadonlyMap<string, Version>): BoundStatement;
}

/** Parses; throws the parser's error. */
export function readStatement(
  code: CodeText,
  environment: BindEnvironment,
): readonly StatementPart[] {
  const source = new SourceText(code.text, code.line);
  const node = parseSql(code.text).stmts?.[0]?.stmt;
  if (!node) return [];
  const ctes = writingCtes(node);
  if (ctes === null)
    return [{ name: null, head: [], bind: () => bindWhole(node, code, source, environment) }];
  const parts = ctes.map((cte): StatementPart => ({
    name: cte.ctename ?? '',
    head: names(cte.aliascolnames),
    bind: (relations) => bindCte(cte, code, environment, relations),
  }));
  const main = withClauseEnd(source);
  const whole: StatementPart = {
    name: null,
    head: [],
    bind: (relations) =>
      bindWhole(
        node,
        code,
        new SourceText(code.text, code.line),
        withRelations(environment, relations),
        main,
      ),
  };
  return [...parts, whole];
}

/** Whether a statement only reads. False where it does not parse. */
export function isPlainQuery(code: CodeText): boolean {
  try {
    const node = parseSql(code.text).stmts?.[0]?.stmt;
    return (
      node !== undefined &&
      'SelectStmt' in node &&
      !node.SelectStmt.intoClause &&
      writingCtes(node) === null
    );
  } catch {
    return false;
  }
}

/** Binds the text of one CTE as a statement of its own. */
function bindCte(
  cte: CommonTableExpr,
  code: CodeText,
  environment: BindEnvironment,
  relations: ReadonlyMap<string, Version>,
): BoundStatement {
  const whole = new SourceText(code.text, code.line);
  const start = whole.index(cte.location);
  const [as] = findClauses(whole, whole.tokenAt(start), ['AS']);
  const open = whole.tokens.findIndex(
    (token, index) => index > (as?.token ?? 0) && token.text === '(',
  );
  const from = whole.tokens[open]?.end ?? 0;
  const to = whole.endOfBrackets(whole.tokens[open]?.start ?? 0) - 1;
  const inner = code.text.slice(from, to);
  const lead = inner.length - inner.trimStart().length;
  const innerCode: CodeText = { text: inner.trim(), line: whole.line(from + lead), comments: [] };
  const node = parseSql(innerCode.text).stmts?.[0]?.stmt;
  if (!node)
    refuse('parse-error', { line: code.line, construct: cte.ctename ?? '' }, 'The CTE is empty.');
  return bindWhole(
    node,
    innerCode,
    new SourceText(innerCode.text, innerCode.line),
    withRelations(environment, relations),
  );
}

function bindWhole(
  node: Node,
  code: CodeText,
  source: SourceText,
  environment: BindEnvironment,
  mainToken?: number,
): BoundStatement {
  const binder = new Binder(source, environment);
  const outer = newScope(null);
  outer.items.push(...environment.loopItems());
  const statement = Object.values(node)[0] as { withClause?: Parameters<Binder['with']>[0] };
  let firstToken = mainToken ?? 0;
  let withClause: Fragment = [];
  const isQuery = 'SelectStmt' in node;
  if (mainToken === undefined && statement.withClause && !isQuery) {
    binder.with(statement.withClause, outer);
    firstToken = withClauseEnd(source);
    withClause = source.slice(0, source.tokens[firstToken]?.start ?? 0);
  }
  const context: WriteContext = {
    source,
    environment,
    binder,
    outer,
    firstToken,
    withClause,
    lines: { first: code.line, last: source.lastLine() },
    comments: code.comments,
  };
  const write = bindWrite(mainToken === undefined ? node : withoutCtes(node), context);
  if (write) return withPrefixedSubqueries(write, withClause);
  if ('SelectStmt' in node) {
    const select =
      mainToken === undefined ? node.SelectStmt : { ...node.SelectStmt, withClause: {} };
    const start = source.tokens[firstToken]?.start ?? 0;
    if (select.intoClause?.rel)
      return bindSelectInto(select, select.intoClause.rel, context, start);
    return {
      ...common(context),
      kind: 'query',
      query: bindQuery(select, context, start, undefined),
    };
  }
  return bindOther(node, context);
}
