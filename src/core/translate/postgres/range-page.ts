/**
 * Finds the range of keys that one turn of a loop inserts: `key >= v AND key < v + step`, where the
 * next turn goes on at `v + step`. All ranges together are one, from the first to the last.
 */
import type { A_Expr, ColumnRef, Node, SelectStmt } from 'libpg-query';
import type { CodeText } from '../program.ts';
import type { ColumnInfo } from '../version.ts';
import { hasAggregate } from './keys.ts';
import { parseSql, scan } from './parser.ts';
import { SourceText } from './source.ts';
import { expressionNode, EXPRESSION_PREFIX, sameTree } from './stepping.ts';
import { children, columnPath, names, relationName } from './tree.ts';
import type { RelationName } from './tree.ts';

export interface RangeLoop {
  /** The variable at which a range starts, and the step by which it grows. */
  readonly variable: string;
  readonly stride: CodeText;
  /** Variables that each turn sets before the statement, as an end of its range may be. */
  readonly ends: ReadonlyMap<string, CodeText>;
  /** Names of all variables that a turn sets. */
  readonly changing: ReadonlySet<string>;
  /** Name of the variable to be read where a range ends. */
  readonly last: string;
  readonly columnsOf: (name: RelationName) => readonly ColumnInfo[] | null;
}

export interface RangePage {
  /** The statement over the whole range. */
  readonly whole: CodeText;
  /** The variable that holds the end of a range, with its value at the last one; null for none. */
  readonly end: { readonly variable: string; readonly expression: CodeText } | null;
}

/** Null where it can't be shown that the ranges together give the rows of their union. */
export function rangePage(code: CodeText, loop: RangeLoop): RangePage | null {
  const statement = parseSql(code.text).stmts?.[0]?.stmt;
  if (!statement || !('InsertStmt' in statement)) return null;
  const { selectStmt, onConflictClause, returningClause } = statement.InsertStmt;
  if (!selectStmt || !('SelectStmt' in selectStmt) || onConflictClause || returningClause)
    return null;
  const select = selectStmt.SelectStmt;
  if (!isRowByRow(select)) return null;
  const { lowers, uppers } = boundsOf(select, loop);
  const [lower, upper] = [lowers[0], uppers[0]];
  if (lowers.length !== 1 || uppers.length !== 1 || !lower || !upper) return null;
  if (!sameTree(lower.key, upper.key)) return null;
  if (upper.inclusive && !isInteger(select, lower.key, loop)) return null;
  // Wherever else the loop's variables stood, a row would depend on the turn that it came in.
  const uses = upper.through === null ? 2 : 1;
  if (mentions(code, loop.variable) !== uses) return null;
  if ([...loop.changing].some((name) => mentions(code, name) !== Number(name === upper.through)))
    return null;
  if (upper.through === null) {
    return { whole: renamed(code, upper.start, loop, ''), end: null };
  }
  const assigned = loop.ends.get(upper.through);
  if (assigned === undefined || mentions(assigned, loop.variable) !== 1) return null;
  return {
    whole: code,
    end: {
      variable: upper.through,
      expression: renamed(assigned, upper.start, loop, EXPRESSION_PREFIX),
    },
  };
}

/** Each row of FROM gives its rows whatever other rows there are. */
function isRowByRow(select: SelectStmt): boolean {
  const whole =
    select.distinctClause ??
    select.groupClause ??
    select.havingClause ??
    select.windowClause ??
    select.limitCount ??
    select.limitOffset ??
    select.lockingClause ??
    select.valuesLists ??
    select.larg;
  return (
    whole === undefined &&
    select.fromClause !== undefined &&
    !(select.targetList ?? []).some((target) => hasAggregate(target) || hasWindow(target))
  );
}

function hasWindow(node: object): boolean {
  if ('SubLink' in node) return false;
  if ('over' in node && node.over !== undefined) return true;
  return children(node).some((child) => hasWindow(child));
}

interface Lower {
  readonly key: ColumnRef;
}

interface Upper extends Lower {
  readonly inclusive: boolean;
  /** The variable that stands for the end; null where it is written out. */
  readonly through: string | null;
  /** Location of the loop's variable in the end. */
  readonly start: number | undefined;
}

function boundsOf(
  select: SelectStmt,
  loop: RangeLoop,
): { readonly lowers: readonly Lower[]; readonly uppers: readonly Upper[] } {
  const lowers: Lower[] = [];
  const uppers: Upper[] = [];
  for (const { key, operator, value } of conjuncts(select.whereClause).flatMap(comparisons)) {
    if (operator === '>=' && isVariable(value, loop.variable)) lowers.push({ key });
    else if (operator === '<' || operator === '<=') {
      const end = endOf(value, operator === '<=', loop);
      if (end !== null) uppers.push({ key, inclusive: operator === '<=', ...end });
    }
  }
  return { lowers, uppers };
}

function conjuncts(node: Node | undefined): readonly Node[] {
  if (!node) return [];
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR')
    return (node.BoolExpr.args ?? []).flatMap(conjuncts);
  return [node];
}

interface KeyComparison {
  readonly key: ColumnRef;
  readonly operator: string;
  readonly value: Node;
}

const TURNED: Readonly<Record<string, string>> = { '>': '<', '>=': '<=', '<': '>', '<=': '>=' };

/** `key operator value`, either way round; BETWEEN is two of them. */
function comparisons(node: Node): readonly KeyComparison[] {
  if (!('A_Expr' in node)) return [];
  const { kind, lexpr, rexpr } = node.A_Expr;
  if (!lexpr || !rexpr) return [];
  if (kind === 'AEXPR_BETWEEN' && 'ColumnRef' in lexpr && 'List' in rexpr) {
    const [from, to] = rexpr.List.items ?? [];
    if (!from || !to) return [];
    const key = lexpr.ColumnRef;
    return [
      { key, operator: '>=', value: from },
      { key, operator: '<=', value: to },
    ];
  }
  const operator = operatorOf(node.A_Expr);
  if (operator === null) return [];
  const turned = TURNED[operator];
  return [
    ...('ColumnRef' in lexpr ? [{ key: lexpr.ColumnRef, operator, value: rexpr }] : []),
    ...('ColumnRef' in rexpr && turned !== undefined
      ? [{ key: rexpr.ColumnRef, operator: turned, value: lexpr }]
      : []),
  ];
}

function operatorOf({ kind, name }: A_Expr): string | null {
  const path = names(name);
  return kind === 'AEXPR_OP' && path.length === 1 ? (path[0] ?? null) : null;
}

function isVariable(node: Node | undefined, name: string): boolean {
  if (!node || !('ColumnRef' in node)) return false;
  const path = columnPath(node.ColumnRef);
  return path.length === 1 && path[0] === name;
}

/** Whether a value is where the next range starts; the whole number before it where `inclusive`. */
function endOf(
  value: Node,
  inclusive: boolean,
  loop: RangeLoop,
): Pick<Upper, 'through' | 'start'> | null {
  const path = 'ColumnRef' in value ? columnPath(value.ColumnRef) : [];
  const through = path.length === 1 ? (path[0] ?? null) : null;
  const assigned = through === null ? undefined : loop.ends.get(through);
  const end = assigned === undefined ? value : expressionNode(assigned);
  const start = end === null ? null : startOf(end, inclusive, loop);
  if (start === null) return null;
  return { through: assigned === undefined ? null : through, start: start.location };
}

/** The loop's variable in `v + step`, or in `v + step - 1` and `v + 99` where `inclusive`. */
function startOf(end: Node, inclusive: boolean, loop: RangeLoop): ColumnRef | null {
  if (!('A_Expr' in end)) return null;
  const { lexpr, rexpr } = end.A_Expr;
  const operator = operatorOf(end.A_Expr);
  if (!lexpr || !rexpr) return null;
  if (inclusive && operator === '-')
    return numberOf(rexpr) === 1 ? startOf(lexpr, false, loop) : null;
  if (operator !== '+' || !isVariable(lexpr, loop.variable) || !('ColumnRef' in lexpr)) return null;
  const stride = expressionNode(loop.stride);
  if (stride === null) return null;
  const reaches = inclusive ? isOneLess(rexpr, stride) : sameTree(rexpr, stride);
  return reaches ? lexpr.ColumnRef : null;
}

function isOneLess(node: Node, stride: Node): boolean {
  const step = numberOf(stride);
  if (step !== null) return numberOf(node) === step - 1;
  if (!('A_Expr' in node) || operatorOf(node.A_Expr) !== '-') return false;
  const { lexpr, rexpr } = node.A_Expr;
  return (
    lexpr !== undefined && rexpr !== undefined && sameTree(lexpr, stride) && numberOf(rexpr) === 1
  );
}

function numberOf(node: Node): number | null {
  return 'A_Const' in node && node.A_Const.ival ? (node.A_Const.ival.ival ?? 0) : null;
}

const INTEGERS: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint']);

/** Between two whole numbers that follow each other there is nothing: but for these types only. */
function isInteger(select: SelectStmt, key: ColumnRef, { columnsOf }: RangeLoop): boolean {
  const path = columnPath(key);
  const column = path.at(-1);
  const qualifier = path.length === 2 ? path[0] : null;
  const ranges = (select.fromClause ?? []).flatMap(rangesIn);
  if (path.length > 2 || ranges.includes(null)) return false;
  const types = ranges.flatMap((range) => {
    const alias = range?.alias ?? range?.name.name;
    if (!range || (qualifier !== null && alias !== qualifier)) return [];
    const columns = columnsOf(range.name);
    if (columns === null) return [null];
    return columns.filter(({ name }) => name === column).map(({ type }) => type);
  });
  const [type] = types;
  return types.length === 1 && typeof type === 'string' && INTEGERS.has(type);
}

interface Range {
  readonly name: RelationName;
  readonly alias: string | null;
}

/** The tables of a FROM list; null for what is none. */
function rangesIn(node: Node): readonly (Range | null)[] {
  if ('JoinExpr' in node) {
    const { larg, rarg, alias } = node.JoinExpr;
    if (alias) return [null];
    return [larg, rarg].flatMap((side) => (side ? rangesIn(side) : [null]));
  }
  if (!('RangeVar' in node)) return [null];
  const { alias } = node.RangeVar;
  if (alias?.colnames) return [null];
  return [{ name: relationName(node.RangeVar), alias: alias?.aliasname ?? null }];
}

function mentions(code: CodeText, name: string): number {
  return scan(code.text).filter(
    ({ kind, text }) => kind === 'word' && text.toLowerCase() === name.toLowerCase(),
  ).length;
}

/** The text with the variable of the last range in place of the loop's. */
function renamed(
  code: CodeText,
  location: number | undefined,
  { last }: RangeLoop,
  prefix: string,
): CodeText {
  const source = new SourceText(prefix + code.text, code.line);
  const start = source.index(location) - prefix.length;
  const end = source.endOfName(start + prefix.length, 1) - prefix.length;
  return { ...code, text: code.text.slice(0, start) + last + code.text.slice(end) };
}
