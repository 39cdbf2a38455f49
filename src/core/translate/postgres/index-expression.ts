/** Expressions of unique indexes, as the catalog prints them and as a conflict target names them. */
import type { Node } from 'libpg-query';
import { parseSql } from './parser.ts';
import { columnPath, walk } from './tree.ts';

/** The column that an indexed part is; null for an expression. */
export function plainColumn(part: string): string | null {
  const node = expressionOf(part);
  const path = node && 'ColumnRef' in node ? columnPath(node.ColumnRef) : [];
  return path.length === 1 ? (path[0] ?? null) : null;
}

/**
 * A text that is the same for the same expression, however it is laid out. Casts are left out,
 * because the catalog shows those that PostgreSQL has added.
 */
export function canonicalExpression(expression: Node | string): string {
  const node = typeof expression === 'string' ? expressionOf(expression) : expression;
  return JSON.stringify({ node }, (key, value: unknown) =>
    key === 'location' ? undefined : withoutCasts(value),
  );
}

function withoutCasts(value: unknown): unknown {
  let inner = value;
  while (isNode(inner) && 'TypeCast' in inner) inner = inner.TypeCast.arg;
  return inner;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function expressionOf(part: string): Node | null {
  let found: Node | null = null;
  walk(parseSql(`select ${part}`), (node) => {
    if (found === null && 'ResTarget' in node)
      found = (node as Extract<Node, { ResTarget: unknown }>).ResTarget.val ?? null;
  });
  return found;
}
