/** Binds UPDATE. */
import type { BoundUpdate } from '../bound.ts';
import { sql } from '../fragment.ts';
import type { UpdateStmt } from 'libpg-query';
import { bindSet } from './assignments.ts';
import { between, findClauses } from './clauses.ts';
import { loopPairs, settles } from './keys.ts';
import { relationName } from './tree.ts';
import {
  bindCondition,
  bindReturning,
  common,
  itemOf,
  slice,
  targetScope,
} from './write-context.ts';
import type { WriteContext } from './write-context.ts';

export function bindUpdate(statement: UpdateStmt, context: WriteContext): BoundUpdate {
  const { source, binder, environment } = context;
  const range = statement.relation ?? {};
  const name = relationName(range);
  const alias = range.alias?.aliasname ?? name.name;
  const at = common(context);
  const target = environment.target(name, alias, at.place);
  const clauses = findClauses(source, context.firstToken, ['SET', 'FROM', 'WHERE', 'RETURNING']);
  const token = (keyword: string): number | undefined =>
    clauses.find((clause) => clause.keyword === keyword)?.token;
  const [set = 0, from, where, returning] = ['SET', 'FROM', 'WHERE', 'RETURNING'].map(token);
  const item = itemOf(target, alias, name.schema);
  const scope = targetScope(context, [item]);
  const conditions = binder.fromClause(statement.fromClause ?? [], scope);
  bindCondition(statement.whereClause, scope, conditions, context);
  binder.noteReads(scope, conditions, scope.items.slice(1));
  for (const node of statement.targetList ?? []) binder.expression(node, scope);
  return {
    ...at,
    kind: 'update',
    table: target.table,
    set: bindSet(
      statement.targetList ?? [],
      scope,
      context,
      between(source, set, from ?? where ?? returning),
    ),
    from:
      from === undefined ? null : sql`${slice(source, between(source, from, where ?? returning))}`,
    where: where === undefined ? null : slice(source, between(source, where, returning)),
    loopPairs: loopPairs([item], conditions, scope, environment.loopItems()),
    loopReads: [...binder.loopReads],
    singleMatch: settles([...scope.items, ...environment.loopItems()], conditions, scope, [item]),
    returning: bindReturning(
      statement.returningClause?.exprs,
      item,
      context,
      returning,
      scope.items.slice(1),
    ),
  };
}
