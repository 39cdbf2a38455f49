/** Reads the condition and the step of a counting loop. */
import type { Node } from 'libpg-query';
import type { CodeText } from '../program.ts';
import { parseSql, scan } from './parser.ts';
import { columnPath } from './tree.ts';

export const EXPRESSION_PREFIX = 'select ';

/** The parse tree of an expression; its locations count from the start of the prefix. */
export function expressionNode(code: CodeText): Node | null {
  const statement = parseSql(EXPRESSION_PREFIX + code.text).stmts?.[0]?.stmt;
  const target =
    statement && 'SelectStmt' in statement ? statement.SelectStmt.targetList?.[0] : undefined;
  return (target && 'ResTarget' in target ? target.ResTarget.val : undefined) ?? null;
}

interface Comparison {
  readonly operator: string;
  readonly left: string | null;
  readonly rightText: string;
}

/** `variable operator …`, with the text on the right. */
function comparison(code: CodeText): Comparison | null {
  let node = expressionNode(code);
  while (node && 'TypeCast' in node) node = node.TypeCast.arg ?? null;
  if (!node || !('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return null;
  const { lexpr, name, location } = node.A_Expr;
  const operator = name?.[0] && 'String' in name[0] ? (name[0].String.sval ?? '') : '';
  const path = lexpr && 'ColumnRef' in lexpr ? columnPath(lexpr.ColumnRef) : [];
  const at = (location ?? 0) - EXPRESSION_PREFIX.length;
  const token = scan(code.text).find(
    (candidate) => candidate.start >= at && candidate.text === operator,
  );
  if (!token) return null;
  return {
    operator,
    left: path.length === 1 ? (path[0] ?? null) : null,
    rightText: rightSide(code.text, token.end),
  };
}

/** The text after an operator, up to the bracket that closes around both sides. */
function rightSide(text: string, start: number): string {
  let depth = 0;
  for (const token of scan(text)) {
    if (token.start < start) continue;
    if (token.text === '(') depth += 1;
    if (token.text === ')' && (depth -= 1) < 0) return text.slice(start, token.start).trim();
  }
  return text.slice(start).trim();
}

export interface UpperBound {
  readonly variable: string;
  readonly limit: CodeText;
  readonly inclusive: boolean;
}

/** `v <= limit` or `v < limit`; where the loop is left under the condition, `v > limit` or `v >= limit`. */
export function upperBound(code: CodeText, leaves: boolean): UpperBound | null {
  const found = comparison(code);
  if (!found || found.left === null) return null;
  const [inclusive, exclusive] = leaves ? ['>', '>='] : ['<=', '<'];
  if (found.operator !== inclusive && found.operator !== exclusive) return null;
  return {
    variable: found.left,
    limit: { ...code, text: found.rightText, comments: [] },
    inclusive: found.operator === inclusive,
  };
}

/**
 * The step of `v := v + step`; null where the expression is another one. The next value may have
 * been put into a variable before: `w := v + step` and `v := w`, or `w := v + step - 1` and
 * `v := w + 1`.
 */
export function increment(
  code: CodeText,
  variable: string,
  assigned: ReadonlyMap<string, CodeText> = new Map(),
): CodeText | null {
  const found = comparison(code);
  if (found?.operator === '+' && found.left === variable) {
    return { ...code, text: found.rightText, comments: [] };
  }
  const [name, ahead] =
    found?.operator === '+' && found.rightText === '1'
      ? [found.left, true]
      : [variableName(code), false];
  const before = name === null ? undefined : assigned.get(name);
  if (before === undefined) return null;
  const value = ahead ? withoutOne(before) : before;
  return value === null ? null : increment(value, variable);
}

function variableName(code: CodeText): string | null {
  const node = expressionNode(code);
  const path = node && 'ColumnRef' in node ? columnPath(node.ColumnRef) : [];
  return path.length === 1 ? (path[0] ?? null) : null;
}

/** `x` of `x - 1`. */
function withoutOne(code: CodeText): CodeText | null {
  const tokens = scan(code.text).filter(({ kind }) => kind !== 'comment');
  const [minus, one] = tokens.slice(-2);
  if (minus?.text !== '-' || one?.text !== '1') return null;
  return { ...code, text: code.text.slice(0, minus.start).trim() };
}

/** Whether two expressions are the same but for where they stand. */
export function sameTree(a: object, b: object): boolean {
  return treeText(a) === treeText(b);
}

function treeText(node: object): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value));
}
