/** Binds DELETE. */
import type { BoundDelete } from '../bound.ts';
import type { DeleteStmt } from 'libpg-query';
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

export function bindDelete(statement: DeleteStmt, context: WriteContext): BoundDelete {
  const { source, binder, environment } = context;
  const range = statement.relation ?? {};
  const name = relationName(range);
  const alias = range.alias?.aliasname ?? name.name;
  const at = common(context);
  const target = environment.target(name, alias, at.place);
  const clauses = findClauses(source, context.firstToken, ['USING', 'WHERE', 'RETURNING']);
  const token = (keyword: string): number | undefined =>
    clauses.find((clause) => clause.keyword === keyword)?.token;
  const [using, where, returning] = ['USING', 'WHERE', 'RETURNING'].map(token);
  const item = itemOf(target, alias, name.schema);
  const scope = targetScope(context, [item]);
  const conditions = binder.fromClause(statement.usingClause ?? [], scope);
  bindCondition(statement.whereClause, scope, conditions, context);
  binder.noteReads(scope, conditions, scope.items.slice(1));
  return {
    ...at,
    kind: 'delete',
    table: target.table,
    using: using === undefined ? null : slice(source, between(source, using, where ?? returning)),
    where: where === undefined ? null : slice(source, between(source, where, returning)),
    loopPairs: loopPairs([item], conditions, scope, environment.loopItems()),
    loopReads: [...binder.loopReads],
    singleMatch: settles(scope.items, conditions, scope, [item]),
    returning: bindReturning(
      statement.returningClause?.exprs,
      item,
      context,
      returning,
      scope.items.slice(1),
    ),
  };
}
