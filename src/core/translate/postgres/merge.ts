/** Binds MERGE and its arms. */
import type { Assignment, BoundMerge, MergeArm } from '../bound.ts';
import type { MergeStmt, Node } from 'libpg-query';
import { bindSet } from './assignments.ts';
import { between, findClauses, splitAtCommas } from './clauses.ts';
import { settles } from './keys.ts';
import type { JoinCondition } from './keys.ts';
import { UNKNOWN_SHAPE } from './scope.ts';
import type { Scope } from './scope.ts';
import { names, relationName } from './tree.ts';
import {
  bindCondition,
  bindReturning,
  common,
  itemOf,
  slice,
  targetScope,
} from './write-context.ts';
import type { WriteContext } from './write-context.ts';

export function bindMerge(statement: MergeStmt, context: WriteContext): BoundMerge {
  const { source, binder, environment } = context;
  const range = statement.relation ?? {};
  const name = relationName(range);
  const alias = range.alias?.aliasname ?? name.name;
  const at = common(context);
  const target = environment.target(name, alias, at.place);
  const clauses = findClauses(source, context.firstToken, ['USING', 'ON', 'WHEN', 'RETURNING']);
  const using = clauses.find((clause) => clause.keyword === 'USING')?.token ?? 0;
  const whens = clauses.filter((clause) => clause.keyword === 'WHEN').map((clause) => clause.token);
  const on =
    clauses.findLast((clause) => clause.keyword === 'ON' && clause.token < (whens[0] ?? 0))
      ?.token ?? 0;
  const returning = clauses.find((clause) => clause.keyword === 'RETURNING')?.token;
  const item = itemOf(target, alias, name.schema);
  const scope = targetScope(context, [item]);
  if (statement.sourceRelation) binder.fromClause([statement.sourceRelation], scope);
  const sourceItem = scope.items[1] ?? { ...UNKNOWN_SHAPE, alias: '', version: null, schema: null };
  const conditions: JoinCondition[] = [];
  bindCondition(statement.joinCondition, scope, conditions, context);
  const arms = (statement.mergeWhenClauses ?? []).map((node, index) =>
    bindArm(node, scope, context, whens[index] ?? 0, whens[index + 1] ?? returning),
  );
  return {
    ...at,
    kind: 'merge',
    table: target.table,
    source: slice(source, between(source, using, on)),
    sourceAlias: sourceItem.alias,
    condition: slice(source, between(source, on, whens[0])),
    arms,
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

function bindArm(
  node: Node,
  scope: Scope,
  context: WriteContext,
  when: number,
  next: number | undefined,
): MergeArm {
  const { source, binder } = context;
  const clause = 'MergeWhenClause' in node ? node.MergeWhenClause : {};
  const match =
    clause.matchKind === 'MERGE_WHEN_MATCHED'
      ? 'matched'
      : clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE'
        ? 'by-source'
        : 'by-target';
  if (clause.condition) binder.expression(clause.condition, scope);
  for (const target of clause.targetList ?? []) binder.expression(target, scope);
  for (const value of clause.values ?? []) binder.expression(value, scope);
  const parts = findClauses(source, when + 1, ['AND', 'THEN', 'SET', 'VALUES']);
  const then = parts.find((part) => part.keyword === 'THEN')?.token ?? when;
  const and = parts.find((part) => part.keyword === 'AND' && part.token < then)?.token;
  const condition =
    clause.condition && and !== undefined ? slice(source, between(source, and, then)) : null;
  if (clause.commandType === 'CMD_DELETE') return { match, condition, action: { kind: 'delete' } };
  if (clause.commandType === 'CMD_UPDATE') {
    const set = parts.find((part) => part.keyword === 'SET' && part.token > then)?.token ?? then;
    return {
      match,
      condition,
      action: {
        kind: 'update',
        set: bindSet(clause.targetList ?? [], scope, context, between(source, set, next)),
      },
    };
  }
  if (clause.commandType !== 'CMD_INSERT') return { match, condition, action: { kind: 'nothing' } };
  const values = parts.find((part) => part.keyword === 'VALUES' && part.token > then)?.token;
  const item = scope.items[0];
  const columns = names(
    (clause.targetList ?? []).map((target) => ({
      String: { sval: 'ResTarget' in target ? (target.ResTarget.name ?? '') : '' },
    })),
  );
  const all = columns.length > 0 ? columns : (item?.columns ?? []).map((column) => column.name);
  const open = values === undefined ? undefined : source.tokens[values + 1];
  const stretches = open
    ? splitAtCommas(source, { start: open.end, end: source.endOfBrackets(open.start) - 1 })
    : [];
  const set = stretches.map((stretch, index): Assignment => {
    const value = clause.values?.[index];
    const column = all[index] ?? '';
    if (value && 'SetToDefault' in value) return { column, value: 'default', type: null };
    return { column, value: slice(source, stretch), type: binder.typeOf(value, scope) };
  });
  return { match, condition, action: { kind: 'insert', set } };
}
