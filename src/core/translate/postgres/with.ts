/** WITH clauses in front of a statement: where they end, and which of them write. */
import type { BoundWrite } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import type { CommonTableExpr, Node } from 'libpg-query';
import { findClauses } from './clauses.ts';
import type { BindEnvironment } from './environment.ts';
import type { SourceText } from './source.ts';
import type { Version } from '../version.ts';

/** CTEs of a WITH clause of which at least one writes; null where none does. */
export function writingCtes(node: Node): readonly CommonTableExpr[] | null {
  const statement = Object.values(node)[0] as { withClause?: { ctes?: Node[] } };
  const ctes = (statement.withClause?.ctes ?? []).flatMap((cte) =>
    'CommonTableExpr' in cte ? [cte.CommonTableExpr] : [],
  );
  return ctes.some((cte) => cte.ctequery && !('SelectStmt' in cte.ctequery)) ? ctes : null;
}

export function withRelations(
  environment: BindEnvironment,
  relations: ReadonlyMap<string, Version>,
): BindEnvironment {
  return {
    relation: (name) =>
      (name.schema === null ? relations.get(name.name) : undefined) ?? environment.relation(name),
    variable: (path) => environment.variable(path),
    positional: (index) => environment.positional(index),
    shadowsBuiltIn: (name) => environment.shadowsBuiltIn(name),
    isRandom: (table, column) => environment.isRandom(table, column),
    returnsSet: (path) => environment.returnsSet(path),
    functionCall: (path, place) => environment.functionCall(path, place),
    target: (name, alias, place, verb) => environment.target(name, alias, place, verb),
    defaultOf: (table, column) => environment.defaultOf(table, column),
    typeName: (path) => environment.typeName(path),
    loopItems: () => environment.loopItems(),
    prefersVariables: () => environment.prefersVariables(),
  };
}

/** Position of the first token after the WITH clause of a statement. */
export function withClauseEnd(source: SourceText): number {
  const [first] = findClauses(source, 1, [
    'INSERT',
    'UPDATE',
    'DELETE',
    'MERGE',
    'SELECT',
    'VALUES',
  ]);
  return first?.token ?? 0;
}

export function withoutCtes(node: Node): Node {
  if ('InsertStmt' in node) return { InsertStmt: { ...node.InsertStmt, withClause: {} } };
  if ('UpdateStmt' in node) return { UpdateStmt: { ...node.UpdateStmt, withClause: {} } };
  if ('DeleteStmt' in node) return { DeleteStmt: { ...node.DeleteStmt, withClause: {} } };
  if ('MergeStmt' in node) return { MergeStmt: { ...node.MergeStmt, withClause: {} } };
  return node;
}

/** CTEs in front of UPDATE, DELETE or MERGE are seen by its FROM list: put them there. */
export function withPrefixedSubqueries(write: BoundWrite, withClause: Fragment): BoundWrite {
  if (withClause.length === 0 || write.kind === 'insert') return write;
  return { ...write, prefix: withClause };
}
