/**
 * Small checked readers of the parser's JSON.
 *
 * A node in a list or an `any node` field is wrapped in an object whose one key is its kind; a field
 * of a fixed kind is not. Fields that are false, zero or empty are left out.
 */
export type Tree = Readonly<Record<string, unknown>>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The content of a field that holds one node, or of a wrapped node of that kind. */
export function treeAt(parent: unknown, key: string): Tree | null {
  if (!isTree(parent)) return null;
  const value = parent[key];
  return isTree(value) ? value : null;
}

export function listAt(parent: unknown, key: string): readonly unknown[] {
  if (!isTree(parent)) return [];
  const value = parent[key];
  return Array.isArray(value) ? value : [];
}

export function textAt(parent: unknown, key: string): string | null {
  if (!isTree(parent)) return null;
  const value = parent[key];
  return typeof value === 'string' ? value : null;
}

export function flagAt(parent: unknown, key: string): boolean {
  return isTree(parent) && parent[key] === true;
}

/** Texts of a list of String nodes: the parts of a dotted name. */
export function nameParts(nodes: readonly unknown[]): readonly string[] {
  return nodes.map((node) => textAt(treeAt(node, 'String'), 'sval') ?? '');
}

/** The text of a string constant; null for anything else. */
export function stringConstant(node: unknown): string | null {
  const constant = treeAt(node, 'A_Const');
  if (constant === null || flagAt(constant, 'isnull')) return null;
  const string = treeAt(constant, 'sval');
  return string === null ? null : (textAt(string, 'sval') ?? '');
}
