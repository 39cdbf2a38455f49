/** What the binders of writing statements are given, and the pieces that they share. */
import type { Returning } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import type { Node } from 'libpg-query';
import type { Binder } from './bind.ts';
import { between } from './clauses.ts';
import type { BindEnvironment, WriteTarget } from './environment.ts';
import type { JoinCondition } from './keys.ts';
import { targetOutputs } from './outputs.ts';
import { newScope } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import type { SourceText } from './source.ts';
import { refuse } from '../refusals.ts';
import type { Place } from '../refusals.ts';
import type { Lines } from '../version.ts';

export interface WriteContext {
  readonly source: SourceText;
  readonly environment: BindEnvironment;
  readonly lines: Lines;
  readonly comments: readonly string[];
  /** Shapes of the CTEs in front of the statement. */
  readonly outer: Scope;
  readonly binder: Binder;
  /** Position of the token after the WITH clause. */
  readonly firstToken: number;
  /** The WITH clause itself, to be put in front of the statement's query; empty where none. */
  readonly withClause: Fragment;
}

export function common(context: WriteContext): {
  place: Place;
  lines: Lines;
  comments: readonly string[];
} {
  const start = context.source.tokens[context.firstToken]?.start ?? 0;
  return {
    place: context.binder.place(start, 120),
    lines: context.lines,
    comments: context.comments,
  };
}

export function itemOf(target: WriteTarget, alias: string, schema: string | null): RangeItem {
  return {
    alias,
    columns: target.version.columns,
    keys: target.version.keys,
    rowNumbers: [],
    version: target.version,
    schema,
  };
}

export function targetScope(context: WriteContext, items: readonly RangeItem[]): Scope {
  const scope = newScope(context.outer);
  scope.items.push(...items);
  return scope;
}

export function slice(source: SourceText, stretch: { start: number; end: number }): Fragment {
  return source.slice(stretch.start, stretch.end);
}

export function bindCondition(
  node: Node | undefined,
  scope: Scope,
  conditions: JoinCondition[],
  context: WriteContext,
): void {
  if (!node) return;
  if ('CurrentOfExpr' in node) {
    refuse('cursor', common(context).place, "WHERE CURRENT OF needs the cursor's position.");
  }
  context.binder.expression(node, scope);
  conditions.push({ node, onlyFor: null });
}

export function bindReturning(
  targets: readonly Node[] | undefined,
  item: RangeItem,
  context: WriteContext,
  at: number | undefined,
): Returning | null {
  if (!targets || at === undefined) return null;
  const scope = targetScope(context, [item]);
  for (const node of targets) context.binder.expression(node, scope);
  const outputs = targetOutputs(targets, scope);
  return {
    list: slice(context.source, between(context.source, at, undefined)),
    columns:
      outputs?.map((output) => ({
        name: output.name,
        type:
          output.item?.columns?.find((column) => column.name === output.column)?.type ??
          context.binder.typeOf(output.node ?? undefined, scope),
      })) ?? null,
  };
}
