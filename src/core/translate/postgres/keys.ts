/** By which columns the rows of a query are unique: what lets a join be called one to one. */
import type { Node, SelectStmt } from 'libpg-query';
import type { LoopPair } from '../bound.ts';
import { findColumn } from './scope.ts';
import type { QueryShape, RangeItem, Scope, SortColumn } from './scope.ts';
import { children, columnPath, functionPath } from './tree.ts';

/** A condition that must hold for rows of `right` to be joined; null: for all entries. */
export interface JoinCondition {
  readonly node: Node;
  readonly onlyFor: ReadonlySet<RangeItem> | null;
}

function conjuncts(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR') {
    return (node.BoolExpr.args ?? []).flatMap((argument) => conjuncts(argument));
  }
  return [node];
}

/** Entries of FROM that an expression refers to; null where a subquery makes that unclear. */
function itemsIn(node: object, scope: Scope, found = new Set<RangeItem>()): Set<RangeItem> | null {
  if ('SubLink' in node) return null;
  if ('ColumnRef' in node) {
    const path = columnPath((node as Extract<Node, { ColumnRef: unknown }>).ColumnRef);
    const column = findColumn(scope, path);
    if (column === 'maybe') return null;
    if (column) found.add(column.item);
    return found;
  }
  for (const child of children(node)) if (itemsIn(child, scope, found) === null) return null;
  return found;
}

interface Equality {
  readonly item: RangeItem;
  readonly column: string;
  /** Entries that the other side refers to. */
  readonly others: ReadonlySet<RangeItem>;
  readonly onlyFor: ReadonlySet<RangeItem> | null;
}

function equalities(conditions: readonly JoinCondition[], scope: Scope): readonly Equality[] {
  return conditions.flatMap(({ node, onlyFor }) =>
    conjuncts(node).flatMap((conjunct) => {
      if (!('A_Expr' in conjunct) || conjunct.A_Expr.kind !== 'AEXPR_OP') return [];
      const { lexpr, rexpr, name } = conjunct.A_Expr;
      const operator = name?.[0];
      if (!lexpr || !rexpr || !operator || !('String' in operator) || operator.String.sval !== '=')
        return [];
      return [side(lexpr, rexpr, scope, onlyFor), side(rexpr, lexpr, scope, onlyFor)].flat();
    }),
  );
}

function side(column: Node, other: Node, scope: Scope, onlyFor: Equality['onlyFor']): Equality[] {
  if (!('ColumnRef' in column)) return [];
  const found = findColumn(scope, columnPath(column.ColumnRef));
  if (!found || found === 'maybe') return [];
  const others = itemsIn(other, scope);
  if (others === null || others.has(found.item)) return [];
  return [{ item: found.item, column: found.column.name, others, onlyFor }];
}

/**
 * Whether, given one row of each entry in `seed`, at most one row of all the other entries joins
 * it: each is bound, by equality on a whole unique key, to entries that are already settled.
 */
export function settles(
  items: readonly RangeItem[],
  conditions: readonly JoinCondition[],
  scope: Scope,
  seed: readonly RangeItem[],
): boolean {
  const bound = equalities(conditions, scope);
  const settled = new Set<RangeItem>(seed);
  for (let grew = true; grew;) {
    grew = false;
    for (const item of items) {
      if (settled.has(item)) continue;
      const columns = new Set(
        bound
          .filter((equality) => equality.item === item)
          .filter((equality) => equality.onlyFor === null || equality.onlyFor.has(item))
          .filter((equality) => isSettled(equality.others, items, settled))
          .map((equality) => equality.column),
      );
      if (item.keys.some((key) => key.every((column) => columns.has(column)))) {
        settled.add(item);
        grew = true;
      }
    }
  }
  return items.every((item) => settled.has(item));
}

function isSettled(
  others: ReadonlySet<RangeItem>,
  items: readonly RangeItem[],
  settled: ReadonlySet<RangeItem>,
): boolean {
  return [...others].every((item) => settled.has(item) || !items.includes(item));
}

export interface OutputColumn {
  readonly name: string;
  readonly node: Node | null;
  readonly item: RangeItem | null;
  readonly column: string | null;
}

/** Keys of a plain SELECT, in terms of its output columns; `several`: outputs multiply the rows. */
export function queryKeys(
  select: SelectStmt,
  scope: Scope,
  outputs: readonly OutputColumn[] | null,
  conditions: readonly JoinCondition[],
  several: boolean,
): QueryShape['keys'] {
  if (isCutToOne(select) || (!several && isOneRow(select))) return [[]];
  if (outputs === null) return [];
  const distinct = select.distinctClause;
  const keys: (readonly string[])[] = [];
  if (distinct && distinct.every((node) => Object.keys(node).length === 0))
    keys.push(outputs.map((o) => o.name));
  else if (distinct) pushIf(keys, expressionsAsOutputs(distinct, scope, outputs));
  if (several) return keys;
  if (select.groupClause) {
    pushIf(keys, expressionsAsOutputs(select.groupClause, scope, outputs));
    return keys;
  }
  for (const driver of scope.items) {
    if (!settles(scope.items, conditions, scope, [driver])) continue;
    for (const key of [...driver.keys, ...numberedKeys(driver, select)]) {
      pushIf(
        keys,
        key.map(
          (column) => outputs.find((o) => o.item === driver && o.column === column)?.name ?? null,
        ),
      );
    }
  }
  return keys;
}

function pushIf(keys: (readonly string[])[], columns: readonly (string | null)[]): void {
  const known = columns.filter((column) => column !== null);
  if (known.length === columns.length) keys.push(known);
}

/** LIMIT 1. Not LIMIT NULL, nor WITH TIES, nor a number that is too large for an integer. */
function isCutToOne({ limitCount: limit, limitOption }: SelectStmt): boolean {
  if (!limit || !('A_Const' in limit) || limitOption === 'LIMIT_OPTION_WITH_TIES') return false;
  const { ival } = limit.A_Const;
  return ival !== undefined && (ival.ival ?? 0) <= 1;
}

function isOneRow(select: SelectStmt): boolean {
  if (!select.fromClause && !select.valuesLists && !select.groupClause) return true;
  if (select.groupClause || select.valuesLists || select.havingClause) return false;
  return (select.targetList ?? []).some((target) => hasAggregate(target));
}

const AGGREGATES = new Set(
  `count sum avg min max string_agg array_agg json_agg jsonb_agg bool_and bool_or every stddev variance
  json_object_agg jsonb_object_agg percentile_cont percentile_disc mode corr`.split(/\s+/u),
);

/** Whether an expression aggregates at its own level: no subquery, no window. */
export function hasAggregate(node: object): boolean {
  if ('SubLink' in node) return false;
  if ('FuncCall' in node) {
    const call = (node as Extract<Node, { FuncCall: unknown }>).FuncCall;
    if (!call.over && (call.agg_star || AGGREGATES.has(functionPath(call).at(-1) ?? '')))
      return true;
  }
  return children(node).some((child) => hasAggregate(child));
}

function expressionsAsOutputs(
  nodes: readonly Node[],
  scope: Scope,
  outputs: readonly OutputColumn[],
): (string | null)[] {
  return nodes.map((node) => {
    if ('A_Const' in node) return outputs[(node.A_Const.ival?.ival ?? 0) - 1]?.name ?? null;
    if ('ColumnRef' in node) {
      const path = columnPath(node.ColumnRef);
      const found = findColumn(scope, path);
      if (found && found !== 'maybe') {
        const output = outputs.find((o) => o.item === found.item && o.column === found.column.name);
        if (output) return output.name;
      }
      if (path.length === 1)
        return outputs.find((o) => o.name === path[0] && !o.item)?.name ?? null;
    }
    const text = stripLocations(node);
    return (
      outputs.find((output) => output.node && stripLocations(output.node) === text)?.name ?? null
    );
  });
}

function stripLocations(node: Node): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value));
}

/** Keys from `row_number() over (partition by …) as n` below a `where n = 1`. */
function numberedKeys(item: RangeItem, select: SelectStmt): readonly (readonly string[])[] {
  return item.rowNumbers
    .filter((number) => conjuncts(select.whereClause).some((node) => isFirst(node, number.column)))
    .map((number) => number.partition);
}

function isFirst(node: Node, column: string): boolean {
  if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return false;
  const { lexpr, rexpr, name } = node.A_Expr;
  const operator = name?.[0] && 'String' in name[0] ? name[0].String.sval : '';
  if (!lexpr || !rexpr || !('ColumnRef' in lexpr) || !('A_Const' in rexpr)) return false;
  if (columnPath(lexpr.ColumnRef).at(-1) !== column) return false;
  const value = rexpr.A_Const.ival?.ival ?? 0;
  return (
    (operator === '=' && value === 1) ||
    (operator === '<=' && value === 1) ||
    (operator === '<' && value === 2)
  );
}

/** Equalities between the tables of FROM and the loop's rows, among conditions that must hold. */
export function loopPairs(
  items: readonly RangeItem[],
  conditions: readonly JoinCondition[],
  scope: Scope,
  loop: readonly RangeItem[],
): readonly LoopPair[] {
  if (loop.length === 0) return [];
  return conditions
    .filter((condition) => condition.onlyFor === null)
    .flatMap(({ node }) => conjuncts(node))
    .flatMap((node) => {
      if (!('A_Expr' in node) || node.A_Expr.kind !== 'AEXPR_OP') return [];
      const { lexpr, rexpr, name } = node.A_Expr;
      const operator = name?.[0] && 'String' in name[0] ? name[0].String.sval : '';
      if (operator !== '=' || !lexpr || !rexpr) return [];
      const left = plainColumn(lexpr, scope);
      const right = plainColumn(rexpr, scope);
      if (!left || !right) return [];
      return [pair(left, right, items, loop), pair(right, left, items, loop)].flat();
    });
}

function plainColumn(node: Node, scope: Scope): { item: RangeItem; column: string } | null {
  if (!('ColumnRef' in node)) return null;
  const found = findColumn(scope, columnPath(node.ColumnRef));
  return found && found !== 'maybe' ? { item: found.item, column: found.column.name } : null;
}

function pair(
  of: { item: RangeItem; column: string },
  other: { item: RangeItem; column: string },
  items: readonly RangeItem[],
  loop: readonly RangeItem[],
): LoopPair[] {
  const table = of.item.version?.owner;
  if (!table || !items.includes(of.item) || !loop.includes(other.item)) return [];
  return [{ table, column: of.column, loopColumn: other.column }];
}

/** ORDER BY as output columns with their directions; null where it is over something else. */
export function sortColumns(
  clause: readonly Node[],
  scope: Scope,
  outputs: readonly OutputColumn[],
): readonly SortColumn[] | null {
  const sorted = clause.flatMap((node): SortColumn[] => {
    const {
      node: by,
      sortby_dir: direction,
      sortby_nulls: nulls,
    } = 'SortBy' in node ? node.SortBy : {};
    const [column] = by ? expressionsAsOutputs([by], scope, outputs) : [];
    if (!column || direction === 'SORTBY_USING') return [];
    const down = direction === 'SORTBY_DESC' ? 'desc' : '';
    const place =
      nulls === 'SORTBY_NULLS_FIRST'
        ? 'nulls first'
        : nulls === 'SORTBY_NULLS_LAST'
          ? 'nulls last'
          : '';
    return [{ column, direction: `${down} ${place}`.trim() }];
  });
  return sorted.length === clause.length ? sorted : null;
}
