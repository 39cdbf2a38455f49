/** What the binders of writing statements are given, and the pieces that they share. */
import type { Returning } from '../bound.ts';
import { sql } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { Node } from 'libpg-query';
import type { Binder } from './bind.ts';
import { between, splitAtCommas } from './clauses.ts';
import type { BindEnvironment, WriteTarget } from './environment.ts';
import type { JoinCondition } from './keys.ts';
import { targetOutputs } from './outputs.ts';
import { findColumn, newScope } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import type { SourceText } from './source.ts';
import { columnPath, walk } from './tree.ts';
import { makeRefusal, refuse, RefusalError } from '../refusals.ts';
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

/** `others`: the entries of FROM or USING, whose columns the list may name too. */
export function bindReturning(
  targets: readonly Node[] | undefined,
  item: RangeItem,
  context: WriteContext,
  at: number | undefined,
  others: readonly RangeItem[] = [],
): Returning | null {
  if (!targets || at === undefined) return null;
  const { source, binder } = context;
  const scope = targetScope(context, [item, ...others]);
  const stretch = between(source, at, undefined);
  const stretches = splitAtCommas(source, stretch);
  for (const [index, node] of targets.entries())
    bindOutput(node, stretches[index] ?? stretch, scope, context);
  const outputs = targetOutputs(targets, scope);
  return {
    list: slice(source, stretch),
    others: targets.some((node) => namesOthers(node, scope, item)),
    columns:
      outputs?.map((output) => ({
        name: output.name,
        type:
          output.item?.columns?.find((column) => column.name === output.column)?.type ??
          binder.typeOf(output.node ?? undefined, scope),
      })) ?? null,
  };
}

/** An output that only a run knows, such as `xmax = 0`, is refused only where something needs it. */
function bindOutput(
  node: Node,
  stretch: { start: number; end: number },
  scope: Scope,
  { binder, source }: WriteContext,
): void {
  try {
    binder.expression(node, scope);
  } catch (error) {
    if (!(error instanceof RefusalError) || !UNKNOWABLE.has(error.refusal.code)) throw error;
    const name = 'ResTarget' in node ? node.ResTarget.name : undefined;
    const refusal = makeRefusal('unprovable-count', error.refusal, error.refusal.message);
    const poison = [{ kind: 'poison', refusal } as const];
    const value = name === undefined ? poison : sql`${poison} as ${identifier(name)}`;
    const [first, last] = [source.tokenAt(stretch.start), source.tokenAt(stretch.end)];
    const end = last < 0 ? source.tokens.at(-1)?.end : source.tokens[last - 1]?.end;
    source.edit(source.tokens[first]?.start ?? stretch.start, end ?? stretch.end, value);
  }
}

const UNKNOWABLE: ReadonlySet<string> = new Set(['system-column', 'return-value']);

function namesOthers(node: Node, scope: Scope, item: RangeItem): boolean {
  if (scope.items.length === 1) return false;
  let found = false;
  walk(node, (inner) => {
    if (!('ColumnRef' in inner)) return;
    const path = columnPath((inner as Extract<Node, { ColumnRef: unknown }>).ColumnRef);
    if (path.at(-1) === '*') {
      found ||= path.length === 1 || path.at(-2) !== item.alias;
      return;
    }
    const column = findColumn(scope, path);
    found ||= column === 'maybe' || (column !== null && column.item !== item);
  });
  return found;
}
