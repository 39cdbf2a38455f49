/**
 * Binds the names in a statement: tables to their current versions, variables to their values.
 *
 * The binder walks the parse tree with the scopes that PostgreSQL would see and notes edits in the
 * author's text. What it does not need to change stays as it was written.
 */
import type {
  FuncCall,
  JoinExpr,
  Node,
  RangeFunction,
  RangeVar,
  SelectStmt,
  WithClause,
} from 'libpg-query';
import type { LoopRead } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { isSystemColumn } from './scope.ts';
import { sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { Place } from '../refusals.ts';
import { refuse } from '../refusals.ts';
import type { ColumnInfo, Version } from '../version.ts';
import { clockFunctionType, clockValueType, isRandom } from './clock.ts';
import type { BindEnvironment } from './environment.ts';
import { typeOf } from './infer.ts';
import { loopPairs, queryKeys, sortColumns } from './keys.ts';
import type { JoinCondition } from './keys.ts';
import { selectOutputs } from './outputs.ts';
import { findBareColumn, findColumn, findCte, findItem, newScope, UNKNOWN_SHAPE } from './scope.ts';
import type { QueryShape, RangeItem, Scope } from './scope.ts';
import type { SourceText } from './source.ts';
import { children, columnPath, functionPath, names, relationName, typeText } from './tree.ts';

export class Binder {
  readonly source: SourceText;
  readonly environment: BindEnvironment;
  /** Versions that the text reads, in order. */
  readonly reads: Version[] = [];
  /** Calls of random() and its kin: their values can't be proven. */
  readonly random: Place[] = [];
  /** Whether the names of outputs matter: not where the text is a lone expression. */
  namesOutputs = true;
  /** Tables that are read inside a loop, each with what ties it to the loop's row. */
  readonly loopReads: LoopRead[] = [];
  /** Places of `nextval` calls that the statement itself takes care of. */
  readonly sequenceCalls = new Set<number>();

  constructor(source: SourceText, environment: BindEnvironment) {
    this.source = source;
    this.environment = environment;
  }

  place(index: number, length = 60): Place {
    return {
      line: this.source.line(index),
      construct: this.source.text.slice(index, index + length),
    };
  }

  /** Type of an expression, where it is known. */
  typeOf(node: Node | undefined, scope: Scope | null): string | null {
    return typeOf(node, scope, (path) => this.environment.variable(path)?.type ?? null);
  }

  /** Binds a whole query; gives its columns and keys. */
  query(select: SelectStmt, outer: Scope | null): QueryShape {
    const scope = newScope(outer);
    this.with(select.withClause, scope);
    if (select.larg && select.rarg)
      return this.#setOperation(select, select.larg, select.rarg, scope);
    if (select.valuesLists) {
      for (const row of select.valuesLists) this.expression(row, scope);
      return this.#valuesShape(select, scope);
    }
    const conditions: JoinCondition[] = this.fromClause(select.fromClause ?? [], scope);
    if (select.whereClause) conditions.push({ node: select.whereClause, onlyFor: null });
    this.noteReads(scope, conditions);
    const outputs = selectOutputs(select, scope);
    this.#clauses(select, scope, outputs?.map((output) => output.name) ?? []);
    const columns = outputs?.map((output): ColumnInfo => {
      const own = output.item?.columns?.find((column) => column.name === output.column);
      return {
        name: output.name,
        type: own ? own.type : this.typeOf(output.node ?? undefined, scope),
      };
    });
    return {
      columns: columns ?? null,
      keys: queryKeys(select, scope, outputs, conditions),
      rowNumbers: (outputs ?? []).flatMap((output) => rowNumber(output.name, output.node)),
      order: outputs && select.sortClause ? sortColumns(select.sortClause, scope, outputs) : null,
      loopColumns: (outputs ?? []).map((output) =>
        output.node ? this.loopColumn(output.node, scope) : null,
      ),
    };
  }

  /** Notes the tables of a FROM list for the loop around. */
  noteReads(scope: Scope, conditions: readonly JoinCondition[], items = scope.items): void {
    for (const item of items) {
      const table = item.version?.owner;
      if (!table) continue;
      const pairs = loopPairs([item], conditions, scope, this.environment.loopItems());
      this.loopReads.push({ table, pairs });
    }
  }

  /** Binds the CTEs of a WITH clause into a scope. Those that write are the caller's work. */
  with(clause: WithClause | undefined, scope: Scope): void {
    for (const node of clause?.ctes ?? []) {
      if (!('CommonTableExpr' in node)) continue;
      const { ctename = '', ctequery, aliascolnames, location } = node.CommonTableExpr;
      if (scope.ctes.has(ctename)) continue;
      if (!ctequery || !('SelectStmt' in ctequery)) {
        refuse(
          'statement',
          this.place(this.source.index(location)),
          'A CTE inside a query changes a table.',
        );
      }
      const head = names(aliascolnames);
      if (clause?.recursive) {
        const first = leftmost(ctequery.SelectStmt);
        const probe = newScope(scope);
        const outputs = first.valuesLists ? null : this.#outputNames(first, probe);
        scope.ctes.set(ctename, renamed({ ...UNKNOWN_SHAPE, columns: outputs }, head));
      }
      scope.ctes.set(ctename, renamed(this.query(ctequery.SelectStmt, scope), head));
    }
  }

  #outputNames(select: SelectStmt, scope: Scope): readonly ColumnInfo[] | null {
    const before = this.reads.length;
    this.fromClause(select.fromClause ?? [], scope);
    this.reads.length = before;
    return (
      selectOutputs(select, scope)?.map((output) => ({ name: output.name, type: null })) ?? null
    );
  }

  #setOperation(select: SelectStmt, left: SelectStmt, right: SelectStmt, scope: Scope): QueryShape {
    const first = this.query(left, scope);
    const second = this.query(right, scope);
    const sorting = newScope(scope);
    const output = { ...UNKNOWN_SHAPE, columns: first.columns };
    sorting.items.push({ ...output, alias: '', version: null, schema: null });
    for (const node of [...(select.sortClause ?? []), select.limitCount, select.limitOffset]) {
      if (node) this.expression(node, sorting);
    }
    const columns = first.columns?.map((column, index) => ({
      name: column.name,
      type: second.columns?.[index]?.type === column.type ? column.type : null,
    }));
    const allColumns = columns && !select.all ? [columns.map((column) => column.name)] : [];
    return { columns: columns ?? null, keys: allColumns, rowNumbers: [] };
  }

  #valuesShape(select: SelectStmt, scope: Scope): QueryShape {
    const first = select.valuesLists?.[0];
    const items = first && 'List' in first ? (first.List.items ?? []) : [];
    const single = select.valuesLists?.length === 1;
    return {
      columns: items.map((item, index) => ({
        name: `column${index + 1}`,
        type: single ? this.typeOf(item, scope) : null,
      })),
      keys: single ? [[]] : [],
      rowNumbers: [],
      loopColumns: items.map((item) => this.loopColumn(item, scope)),
    };
  }

  /** The column of the loop around that an expression is; null where it is another one. */
  loopColumn(node: Node, scope: Scope): string | null {
    const found = 'ColumnRef' in node ? findColumn(scope, columnPath(node.ColumnRef)) : null;
    if (!found || found === 'maybe') return null;
    return this.environment.loopItems().includes(found.item) ? found.column.name : null;
  }

  #clauses(select: SelectStmt, scope: Scope, outputNames: readonly string[]): void {
    if (this.namesOutputs) this.#nameOutputs(select.targetList ?? [], scope);
    for (const node of [
      ...(select.targetList ?? []),
      select.whereClause,
      select.havingClause,
      ...(select.windowClause ?? []),
      ...(select.distinctClause ?? []),
      select.limitCount,
      select.limitOffset,
    ]) {
      if (node) this.expression(node, scope);
    }
    // ORDER BY and GROUP BY may name an output column; it is not a variable then.
    const withOutputs = newScope(scope);
    withOutputs.items.push({
      ...UNKNOWN_SHAPE,
      alias: '',
      version: null,
      schema: null,
      columns: outputNames.map((name) => ({ name, type: null })),
    });
    for (const node of [...(select.sortClause ?? []), ...(select.groupClause ?? [])]) {
      this.expression(node, withOutputs);
    }
  }

  /** Binds FROM into a scope; gives the conditions of its joins. */
  fromClause(nodes: readonly Node[], scope: Scope): JoinCondition[] {
    return nodes.flatMap((node) => this.#fromItem(node, scope));
  }

  #fromItem(node: Node, scope: Scope): JoinCondition[] {
    if ('RangeVar' in node) {
      scope.items.push(this.rangeVar(node.RangeVar, scope));
    } else if ('JoinExpr' in node) {
      return this.#join(node.JoinExpr, scope);
    } else if ('RangeSubselect' in node) {
      const { subquery, alias, lateral } = node.RangeSubselect;
      if (!subquery || !('SelectStmt' in subquery)) return [];
      const shape = this.query(subquery.SelectStmt, lateral ? scope : withoutItems(scope));
      const name = alias?.aliasname ?? '';
      scope.items.push({
        ...renamed(shape, names(alias?.colnames)),
        alias: name,
        version: null,
        schema: null,
      });
    } else if ('RangeFunction' in node) {
      this.#rangeFunction(node.RangeFunction, scope);
    } else if ('RangeTableSample' in node) {
      refuse(
        'volatile',
        this.place(this.source.index(node.RangeTableSample.location)),
        'TABLESAMPLE takes other rows at each run.',
      );
    } else {
      this.#children(node, scope);
      scope.items.push({ ...UNKNOWN_SHAPE, alias: aliasOf(node), version: null, schema: null });
    }
    return [];
  }

  #join(join: JoinExpr, scope: Scope): JoinCondition[] {
    const start = scope.items.length;
    const conditions = [...(join.larg ? this.#fromItem(join.larg, scope) : [])];
    const middle = scope.items.length;
    if (join.rarg) conditions.push(...this.#fromItem(join.rarg, scope));
    const left = scope.items.slice(start, middle);
    const right = scope.items.slice(middle);
    const onlyFor =
      join.jointype === 'JOIN_INNER' ? null : new Set(join.jointype === 'JOIN_LEFT' ? right : []);
    if (join.quals) {
      this.expression(join.quals, scope);
      conditions.push({ node: join.quals, onlyFor });
    }
    for (const column of names(join.usingClause)) {
      const leftItem = left.find((item) => item.columns?.some((c) => c.name === column));
      const rightItem = right.find((item) => item.columns?.some((c) => c.name === column));
      if (leftItem && rightItem)
        conditions.push({ node: equality(leftItem.alias, rightItem.alias, column), onlyFor });
    }
    return conditions;
  }

  /** Binds a table in FROM: a CTE stays, a table becomes its current version. */
  rangeVar(range: RangeVar, scope: Scope | null): RangeItem {
    const name = relationName(range);
    const aliasName = range.alias?.aliasname ?? name.name;
    const head = names(range.alias?.colnames);
    const cte = name.schema === null ? findCte(scope, name.name) : null;
    if (cte) return { ...renamed(cte, head), alias: aliasName, version: null, schema: null };
    const start = this.source.index(range.location);
    const end = this.source.endOfName(start, name.schema === null ? 1 : 2);
    const version = this.environment.relation(name);
    if (!version) {
      const shown = name.schema === null ? name.name : `${name.schema}.${name.name}`;
      refuse(
        'unknown-relation',
        this.place(start, end - start),
        `There is no table or view ${shown}.`,
      );
    }
    this.reads.push(version);
    const alias = range.alias ? null : identifier(name.name);
    this.source.edit(start, end, [{ kind: 'version', version, alias }]);
    const shape = { columns: version.columns, keys: version.keys, rowNumbers: [] };
    return { ...renamed(shape, head), alias: aliasName, version, schema: name.schema };
  }

  #rangeFunction(range: RangeFunction, scope: Scope): void {
    const first = range.functions?.[0];
    const call = first && 'List' in first ? first.List.items?.[0] : undefined;
    for (const node of range.functions ?? []) this.expression(node, scope);
    for (const node of range.coldeflist ?? []) this.#children(node, scope);
    const functionName =
      call && 'FuncCall' in call ? (functionPath(call.FuncCall).at(-1) ?? '') : '';
    const alias = range.alias?.aliasname ?? functionName;
    const head = names(range.alias?.colnames);
    const scalar = [
      'generate_series',
      'unnest',
      'regexp_split_to_table',
      'string_to_table',
      'jsonb_array_elements',
      'json_array_elements',
      'jsonb_array_elements_text',
      'generate_subscripts',
    ];
    const columns =
      head.length > 0
        ? head.map((name) => ({ name, type: null }))
        : scalar.includes(functionName) && !range.ordinality
          ? [
              {
                name: functionName.includes('_elements')
                  ? (range.alias?.aliasname ?? 'value')
                  : alias,
                type: null,
              },
            ]
          : null;
    scope.items.push({ ...UNKNOWN_SHAPE, columns, alias, version: null, schema: null });
  }

  /** Binds an expression: column references, variables, clocks, calls, subqueries. */
  expression(node: Node, scope: Scope | null): void {
    if ('ColumnRef' in node) {
      this.#columnRef(
        columnPath(node.ColumnRef),
        this.source.index(node.ColumnRef.location),
        scope,
      );
    } else if ('ParamRef' in node) {
      const start = this.source.index(node.ParamRef.location);
      const value = this.environment.positional(node.ParamRef.number ?? 0);
      if (!value)
        refuse('unknown-name', this.place(start, 3), 'There is no parameter of this number.');
      this.source.edit(start, this.source.endOfName(start, 1), value.sql);
    } else if ('SQLValueFunction' in node) {
      const type = clockValueType(node.SQLValueFunction.op);
      if (type !== null) this.#clock(this.source.index(node.SQLValueFunction.location), type);
    } else if ('FuncCall' in node) {
      this.#functionCall(node.FuncCall, scope);
    } else if ('TypeCast' in node) {
      this.#typeCast(node.TypeCast, scope);
    } else if ('SubLink' in node) {
      if (node.SubLink.testexpr) this.expression(node.SubLink.testexpr, scope);
      const query = node.SubLink.subselect;
      if (query && 'SelectStmt' in query) this.query(query.SelectStmt, scope);
    } else {
      this.#children(node, scope);
    }
  }

  #children(node: object, scope: Scope | null): void {
    for (const child of children(node)) this.expression(child as Node, scope);
  }

  #columnRef(path: readonly string[], start: number, scope: Scope | null): void {
    const end = this.source.endOfName(start, path.length);
    if (isSystemColumn(path.at(-1) ?? '') && this.environment.variable(path) === null) {
      refuse(
        'system-column',
        this.place(start, end - start),
        `${path.join('.')} is a system column.`,
      );
    }
    if (path.length === 1 && path[0] !== '*') {
      const name = path[0] ?? '';
      const column = findBareColumn(scope, name);
      const value = this.environment.variable(path);
      if (column && column !== 'maybe' && !(value && this.environment.prefersVariables())) {
        this.#qualify(column.item, name, start, end);
        return;
      }
      if (value) this.#put(start, end, value.sql);
      else if (column === null && !findItem(scope, name)) {
        refuse(
          'unknown-name',
          this.place(start, end - start),
          `There is no column or variable ${name} here.`,
        );
      }
      return;
    }
    const item = findItem(scope, path.at(-2) ?? '');
    if (path.length === 1) return;
    if (item) {
      // The version has another name than the table: the schema in front must go.
      if (path.length > 2)
        this.source.edit(
          start,
          this.source.endOfName(start, path.length - 1),
          text(identifier(item.alias)),
        );
      return;
    }
    const value = this.environment.variable(path);
    if (value) this.source.edit(start, end, value.sql);
    else if (!findItem(scope, path[0] ?? '') && findBareColumn(scope, path[0] ?? '') === null) {
      refuse(
        'unknown-name',
        this.place(start, end - start),
        `There is no table or variable ${path[0]} here.`,
      );
    }
  }

  /** Inside a loop the loop's row stands beside the author's tables: bare names must say whose they are. */
  #qualify(item: RangeItem, name: string, start: number, end: number): void {
    const loop = this.environment.loopItems();
    if (loop.length === 0 || loop.includes(item) || item.alias === '') return;
    this.source.edit(start, end, text(`${identifier(item.alias)}.${identifier(name)}`));
  }

  /** An output without AS is called after its variable; the value in its place must be as well. */
  #nameOutputs(targets: readonly Node[], scope: Scope): void {
    for (const target of targets) {
      const { name, val } = 'ResTarget' in target ? target.ResTarget : {};
      if (name !== undefined || !val || !('ColumnRef' in val)) continue;
      const path = columnPath(val.ColumnRef);
      const isColumn =
        findColumn(scope, path) !== null &&
        !(path.length === 1 && this.environment.prefersVariables());
      if (path.at(-1) === '*' || isColumn) continue;
      const value = this.environment.variable(path);
      const start = this.source.index(val.ColumnRef.location);
      const end = this.source.endOfName(start, path.length);
      if (value)
        this.source.edit(start, end, sql`${value.sql} as ${identifier(path.at(-1) ?? '')}`);
    }
  }

  /** A value in place of a variable's name; in brackets where it is subscripted. */
  #put(start: number, end: number, value: Fragment): void {
    const next = this.source.tokens.find((token) => token.start >= end);
    const subscripted = next?.text === '[';
    this.source.edit(start, end, subscripted ? bracketed(value) : value);
  }

  #clock(start: number, type: string): void {
    const first = this.source.tokenAt(start);
    const open = this.source.tokens[first + 1]?.text === '(';
    const end = open
      ? this.source.endOfBrackets(this.source.tokens[first + 1]?.start ?? start)
      : (this.source.tokens[first]?.end ?? start);
    this.source.edit(start, end, [
      { kind: 'clock', text: this.source.text.slice(start, end), type },
    ]);
  }

  #functionCall(call: FuncCall, scope: Scope | null): void {
    const path = functionPath(call);
    const name = path.at(-1) ?? '';
    const start = this.source.index(call.location);
    const nameParts = names(call.funcname).length;
    if (path.length === 1 && isClock(name, call)) {
      this.#clock(start, clockFunctionType(name) ?? 'timestamp with time zone');
      return;
    }
    if (path.length === 1 && isRandom(name)) this.random.push(this.place(start));
    if (path.length === 1 && name === 'nextval') {
      if (this.sequenceCalls.has(start)) return;
      refuse(
        'sequence',
        this.place(start),
        'The value of this sequence goes to no column that can be told.',
      );
    }
    const reading = this.environment.functionCall(path, this.place(start));
    if (reading.kind === 'unknown') {
      this.source.edit(start, this.source.endOfBrackets(start), [
        { kind: 'poison', refusal: reading.refusal },
      ]);
      return;
    }
    if (reading.kind === 'renamed') {
      this.source.edit(start, this.source.endOfName(start, nameParts), text(reading.sql));
    }
    this.#children(call, scope);
  }

  #typeCast(cast: Extract<Node, { TypeCast: unknown }>['TypeCast'], scope: Scope | null): void {
    if (cast.arg) this.expression(cast.arg, scope);
    const type = cast.typeName;
    if (!type || type.location === undefined) return;
    const path = names(type.names);
    const full =
      path.length === 1 && typeText(type) !== null ? this.environment.typeName(path) : null;
    const start = this.source.index(type.location);
    if (full !== null) this.source.edit(start, this.source.endOfName(start, 1), text(full));
  }
}

function isClock(name: string, call: FuncCall): boolean {
  return clockFunctionType(name) !== null && (call.args ?? []).length === 0;
}

/** The text of a constant argument such as `'dw.seq'` or `'dw.seq'::regclass`. */
export function constantText(node: Node | undefined): string | null {
  if (node === undefined) return null;
  if ('TypeCast' in node) return constantText(node.TypeCast.arg);
  if ('A_Const' in node) return node.A_Const.sval?.sval ?? null;
  return null;
}

function withoutItems(scope: Scope): Scope {
  // A subquery that is not LATERAL sees the CTEs around it, but not its neighbours in FROM.
  return { parent: scope.parent, items: [], ctes: scope.ctes };
}

function renamed(shape: QueryShape, head: readonly string[]): QueryShape {
  if (head.length === 0) return shape;
  const before = shape.columns;
  const rename = (name: string): string => {
    const index = before?.findIndex((column) => column.name === name) ?? -1;
    return head[index] ?? name;
  };
  return {
    columns:
      before?.map((column) => ({ ...column, name: rename(column.name) })) ??
      head.map((name) => ({ name, type: null })),
    keys: shape.keys.map((key) => key.map((column) => rename(column))),
    rowNumbers: shape.rowNumbers.map((n) => ({
      column: rename(n.column),
      partition: n.partition.map(rename),
    })),
  };
}

function leftmost(select: SelectStmt): SelectStmt {
  let at = select;
  while (at.larg) at = at.larg;
  return at;
}

function aliasOf(node: object): string {
  const alias = children(node).find((child) => 'aliasname' in child);
  return alias && 'aliasname' in alias && typeof alias.aliasname === 'string'
    ? alias.aliasname
    : '';
}

function equality(left: string, right: string, column: string): Node {
  const reference = (alias: string): Node => ({
    ColumnRef: { fields: [{ String: { sval: alias } }, { String: { sval: column } }] },
  });
  return {
    A_Expr: {
      kind: 'AEXPR_OP',
      name: [{ String: { sval: '=' } }],
      lexpr: reference(left),
      rexpr: reference(right),
    },
  };
}

function rowNumber(output: string, node: Node | null): QueryShape['rowNumbers'] {
  if (!node || !('FuncCall' in node) || functionPath(node.FuncCall).at(-1) !== 'row_number')
    return [];
  const partition = (node.FuncCall.over?.partitionClause ?? []).map((key) =>
    'ColumnRef' in key ? (columnPath(key.ColumnRef).at(-1) ?? null) : null,
  );
  const known = partition.filter((column) => column !== null);
  return known.length === partition.length ? [{ column: output, partition: known }] : [];
}

/** A fragment in brackets, as one value inside a larger expression. */
export function bracketed(fragment: Fragment): Fragment {
  return sql`(${fragment})`;
}
