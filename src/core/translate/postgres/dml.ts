/** Binds INSERT, UPDATE, DELETE and MERGE. */
import type { DeleteStmt, InsertStmt, MergeStmt, Node, SelectStmt, UpdateStmt } from 'libpg-query';
import type {
  Assignment,
  BoundDelete,
  BoundInsert,
  BoundMerge,
  BoundQuery,
  BoundUpdate,
  BoundWrite,
  Conflict,
  MergeArm,
  Returning,
} from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { sql, text } from '../fragment.ts';
import type { Place } from '../refusals.ts';
import { refuse } from '../refusals.ts';
import type { Lines } from '../version.ts';
import { Binder } from './bind.ts';
import { between, endOfStatement, findClauses, splitAtCommas } from './clauses.ts';
import type { BindEnvironment, WriteTarget } from './environment.ts';
import { loopPairs, settles } from './keys.ts';
import type { JoinCondition } from './keys.ts';
import { targetOutputs } from './outputs.ts';
import { newScope, UNKNOWN_SHAPE } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import type { SourceText } from './source.ts';
import { functionPath, names, relationName, walk } from './tree.ts';
import { isRandom } from './clock.ts';

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

function common(context: WriteContext): {
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

function itemOf(target: WriteTarget, alias: string, schema: string | null): RangeItem {
  return {
    alias,
    columns: target.version.columns,
    keys: target.version.keys,
    rowNumbers: [],
    version: target.version,
    schema,
  };
}

function targetScope(context: WriteContext, items: readonly RangeItem[]): Scope {
  const scope = newScope(context.outer);
  scope.items.push(...items);
  return scope;
}

export function bindInsert(statement: InsertStmt, context: WriteContext): BoundInsert {
  const { source, binder, environment } = context;
  const range = statement.relation ?? {};
  const name = relationName(range);
  const alias = range.alias?.aliasname ?? name.name;
  const at = common(context);
  const target = environment.target(name, alias, at.place);
  const columns = statement.cols
    ? statement.cols.map((node) => ('ResTarget' in node ? (node.ResTarget.name ?? '') : ''))
    : null;
  const clauses = findClauses(source, context.firstToken, ['ON CONFLICT', 'RETURNING']);
  const conflictAt = clauses.find((clause) => clause.keyword === 'ON CONFLICT')?.token;
  const returningAt = clauses.find((clause) => clause.keyword === 'RETURNING')?.token;
  const select =
    statement.selectStmt && 'SelectStmt' in statement.selectStmt
      ? statement.selectStmt.SelectStmt
      : null;
  const given = columns ?? (target.version.columns ?? []).map((column) => column.name);
  const defaulted = select ? bindDefaults(select, given, target, context) : [];
  const query = select
    ? bindQuery(select, context, queryStart(statement, context), conflictAt ?? returningAt)
    : null;
  const item = itemOf(target, alias, name.schema);
  return {
    ...at,
    kind: 'insert',
    table: target.table,
    columns,
    defaulted,
    query,
    conflict: statement.onConflictClause
      ? bindConflict(statement, item, context, conflictAt ?? 0, returningAt)
      : null,
    returning: bindReturning(statement.returningClause?.exprs, item, context, returningAt),
  };
}

/** Index of the text where the query of an INSERT starts. */
function queryStart(statement: InsertStmt, context: WriteContext): number {
  const { source } = context;
  const range = statement.relation ?? {};
  const start = source.index(range.location);
  let at = source.tokenAt(start) + (range.schemaname === undefined ? 1 : 3);
  if (range.alias) at += source.tokens[at]?.text.toUpperCase() === 'AS' ? 2 : 1;
  if (statement.cols) {
    const end = source.endOfBrackets(source.tokens[at]?.start ?? 0);
    at = source.tokens.findIndex((token) => token.start >= end);
  }
  if (source.tokens[at]?.text.toUpperCase() === 'OVERRIDING') at += 3;
  return source.tokens[at]?.start ?? 0;
}

/** Replaces DEFAULT inside VALUES; gives the columns for which every row says DEFAULT. */
function bindDefaults(
  select: SelectStmt,
  columns: readonly string[],
  target: WriteTarget,
  context: WriteContext,
): readonly string[] {
  const { source, environment, binder } = context;
  const rows = (select.valuesLists ?? []).map((row) =>
    'List' in row ? (row.List.items ?? []) : [],
  );
  const isDefault = (row: readonly Node[], index: number): boolean => {
    const item = row[index];
    return item !== undefined && 'SetToDefault' in item;
  };
  const defaulted = columns.filter(
    (_column, index) => rows.length > 0 && rows.every((row) => isDefault(row, index)),
  );
  for (const row of rows) {
    for (const [index, item] of row.entries()) {
      if (!('SetToDefault' in item)) continue;
      const start = source.index(item.SetToDefault.location);
      const column = columns[index] ?? '';
      const value = defaulted.includes(column) ? null : environment.defaultOf(target.table, column);
      if (value === 'sequence')
        refuse(
          'sequence',
          binder.place(start),
          `Some rows give ${column} a value and some leave it to its sequence.`,
        );
      source.edit(start, start + 'DEFAULT'.length, value ?? text('null'));
    }
  }
  return defaulted;
}

/** Binds the query of a statement between two tokens. */
export function bindQuery(
  select: SelectStmt,
  context: WriteContext,
  start: number,
  beforeToken: number | undefined,
): BoundQuery {
  const { source, binder } = context;
  const sequenceColumns = bindSequences(select, context);
  const readsBefore = binder.reads.length;
  const randomBefore = binder.random.length;
  const shape = binder.query(select, context.outer);
  refuseHiddenRandom(select, binder, randomBefore);
  const end =
    beforeToken === undefined ? endOfStatement(source) : (source.tokens[beforeToken]?.start ?? 0);
  const body = source.slice(start, end);
  const nested = context.withClause.length > 0 && select.withClause !== undefined;
  return {
    sql:
      context.withClause.length === 0
        ? body
        : sql`${context.withClause}\n${nested ? sql`(${body})` : body}`,
    columns: shape.columns,
    keys: shape.keys,
    order: shape.order ?? null,
    reads: binder.reads.slice(context.withClause.length > 0 ? 0 : readsBefore),
    randomColumns: positionsWith(select, isRandom),
    sequenceColumns,
    loopColumns: shape.loopColumns ?? [],
    loopReads: [...binder.loopReads],
  };
}

/** Direct `nextval` outputs become row numbers; the rule adds what the column has so far. */
function bindSequences(select: SelectStmt, context: WriteContext): number[] {
  const { source, binder } = context;
  const found: number[] = [];
  const replace = (node: Node | undefined, position: number, value: string): void => {
    const call = node && 'TypeCast' in node ? node.TypeCast.arg : node;
    if (!call || !('FuncCall' in call) || functionPath(call.FuncCall).join('.') !== 'nextval')
      return;
    const start = source.index(call.FuncCall.location);
    binder.sequenceCalls.add(start);
    source.edit(start, source.endOfBrackets(start), text(value));
    if (!found.includes(position)) found.push(position);
  };
  for (const [index, row] of (select.valuesLists ?? []).entries()) {
    const items = 'List' in row ? (row.List.items ?? []) : [];
    for (const [position, item] of items.entries()) replace(item, position, String(index + 1));
  }
  if (!select.distinctClause && !select.larg) {
    for (const [position, item] of (select.targetList ?? []).entries()) {
      replace(
        'ResTarget' in item ? item.ResTarget.val : undefined,
        position,
        'row_number() over ()',
      );
    }
  }
  return found;
}

/** random() and its kin may give the value of a column; they may not decide which rows there are. */
function refuseHiddenRandom(select: SelectStmt, binder: Binder, before: number): void {
  const calls = binder.random.slice(before);
  const [first] = calls;
  let inOutputs = 0;
  for (const target of select.targetList ?? select.valuesLists ?? []) {
    walk(target, (node) => {
      if ('FuncCall' in node && isRandomCall(node)) inOutputs += 1;
    });
  }
  const grouped = select.groupClause || select.distinctClause || select.larg;
  if (!first || (calls.length === inOutputs && !grouped)) return;
  refuse('volatile', first, 'The rows depend on a value that no two runs share.');
}

function isRandomCall(node: object): boolean {
  const { FuncCall: call } = node as Extract<Node, { FuncCall: unknown }>;
  return isRandom(functionPath(call).at(-1) ?? '');
}

/** Positions of outputs in whose expression a function is called. */
function positionsWith(select: SelectStmt, matches: (name: string) => boolean): readonly number[] {
  const lists = [
    select.targetList ?? [],
    ...(select.valuesLists ?? []).map((row) => ('List' in row ? (row.List.items ?? []) : [])),
  ];
  const found = new Set<number>();
  for (const list of lists) {
    for (const [position, item] of list.entries()) {
      walk(item, (node) => {
        if (
          'FuncCall' in node &&
          matches(
            functionPath((node as Extract<Node, { FuncCall: unknown }>).FuncCall).at(-1) ?? '',
          )
        )
          found.add(position);
      });
    }
  }
  return [...found];
}

function bindConflict(
  statement: InsertStmt,
  item: RangeItem,
  context: WriteContext,
  conflictAt: number,
  returningAt: number | undefined,
): Conflict {
  const { source, binder } = context;
  const clause = statement.onConflictClause ?? {};
  const infer = clause.infer;
  const columns =
    infer?.indexElems?.map((node) =>
      'IndexElem' in node ? (node.IndexElem.name ?? null) : null,
    ) ?? null;
  if (columns?.includes(null) || infer?.whereClause) {
    refuse(
      'several-unique-keys',
      common(context).place,
      'The conflict target is an expression or a partial index.',
    );
  }
  const target = {
    columns: columns?.filter((column) => column !== null) ?? null,
    constraint: infer?.conname ?? null,
  };
  if (clause.action !== 'ONCONFLICT_UPDATE') return { ...target, action: { kind: 'nothing' } };
  const excluded: RangeItem = { ...item, alias: 'excluded', version: null };
  const scope = targetScope(context, [item, excluded]);
  for (const node of clause.targetList ?? []) binder.expression(node, scope);
  if (clause.whereClause) binder.expression(clause.whereClause, scope);
  const starts = findClauses(source, conflictAt, ['DO UPDATE SET', 'WHERE']);
  const setAt = starts.find((start) => start.keyword === 'DO UPDATE SET')?.token ?? conflictAt;
  const whereAt = starts.find((start) => start.keyword === 'WHERE' && start.token > setAt)?.token;
  const set = bindSet(
    clause.targetList ?? [],
    scope,
    context,
    between(source, setAt + 2, whereAt ?? returningAt),
  );
  const where = whereAt === undefined ? null : slice(source, between(source, whereAt, returningAt));
  return { ...target, action: { kind: 'update', set, where } };
}

function slice(source: SourceText, stretch: { start: number; end: number }): Fragment {
  return source.slice(stretch.start, stretch.end);
}

/** The assignments of a SET list. */
function bindSet(
  targets: readonly Node[],
  scope: Scope,
  context: WriteContext,
  stretch: { start: number; end: number },
): Assignment[] {
  const { source, binder } = context;
  return splitAtCommas(source, stretch).flatMap((part): Assignment[] => {
    const first = source.tokenAt(part.start);
    const [equals] = findClausesOf(source, first, '=');
    const value = { start: source.tokens[equals ?? first]?.end ?? part.start, end: part.end };
    const inPart = targets.filter((node) => {
      const at = 'ResTarget' in node ? source.index(node.ResTarget.location) : -1;
      return at >= part.start && at < value.start;
    });
    return inPart.map((node): Assignment =>
      assignment(node, inPart.length, slice(source, value), scope, binder),
    );
  });
}

function assignment(
  node: Node,
  columns: number,
  value: Fragment,
  scope: Scope,
  binder: Binder,
): Assignment {
  const { name = '', val, indirection, location } = 'ResTarget' in node ? node.ResTarget : {};
  if (indirection)
    refuse(
      'statement',
      binder.place(binder.source.index(location)),
      'A part of a column is set: an array element or a field.',
    );
  if (val && 'SetToDefault' in val) return { column: name, value: 'default', type: null };
  if (val && 'MultiAssignRef' in val)
    return multiAssignment(
      name,
      val.MultiAssignRef.colno ?? 1,
      val.MultiAssignRef.source,
      columns,
      value,
      binder,
    );
  return { column: name, value, type: binder.typeOf(val, scope) };
}

/** `(a, b) = (…)`: one column of a row value or of a subquery with one row. */
function multiAssignment(
  column: string,
  position: number,
  from: Node | undefined,
  columns: number,
  value: Fragment,
  binder: Binder,
): Assignment {
  if (from && 'SubLink' in from) {
    const head = Array.from({ length: columns }, (_value, index) => `c${index + 1}`).join(', ');
    return {
      column,
      value: sql`(select c${String(position)} from ${value} as v (${head}))`,
      type: null,
    };
  }
  if (from && 'RowExpr' in from) {
    const { source } = binder;
    const row = from.RowExpr;
    const start = source.index(row.location);
    const first = source.tokenAt(start);
    const open = source.tokens[first]?.text === '(' ? first : first + 1;
    const stretch = {
      start: source.tokens[open]?.end ?? start,
      end: source.endOfBrackets(start) - 1,
    };
    const part = splitAtCommas(source, stretch)[position - 1];
    return { column, value: part ? source.slice(part.start, part.end) : value, type: null };
  }
  return { column, value, type: null };
}

function findClausesOf(source: SourceText, from: number, symbol: string): number[] {
  const at = source.tokens.findIndex((token, index) => index >= from && token.text === symbol);
  return at < 0 ? [] : [at];
}

function bindReturning(
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
    returning: bindReturning(statement.returningClause?.exprs, item, context, returning),
  };
}

function bindCondition(
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
    returning: bindReturning(statement.returningClause?.exprs, item, context, returning),
  };
}

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
    returning: bindReturning(statement.returningClause?.exprs, item, context, returning),
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

/** Binds a statement that writes rows; null where the node is none. */
export function bindWrite(node: Node, context: WriteContext): BoundWrite | null {
  const write = bindByKind(node, context);
  const [random] = context.binder.random;
  if (write && write.kind !== 'insert' && random) {
    refuse('volatile', random, 'The rows depend on a value that no two runs share.');
  }
  return write;
}

function bindByKind(node: Node, context: WriteContext): BoundWrite | null {
  if ('InsertStmt' in node) return bindInsert(node.InsertStmt, context);
  if ('UpdateStmt' in node) return bindUpdate(node.UpdateStmt, context);
  if ('DeleteStmt' in node) return bindDelete(node.DeleteStmt, context);
  if ('MergeStmt' in node) return bindMerge(node.MergeStmt, context);
  return null;
}
