/** Reads hints from the parse tree of a statement. */
import type { A_Expr, FuncCall, Node, SelectStmt, WindowDef } from 'libpg-query';
import {
  children,
  columnPath,
  functionPath,
  names,
  typeText,
} from '../../translate/postgres/tree.ts';
import { columnPlace } from './places.ts';
import type { HintBook, Place } from './places.ts';
import { allColumns, columnIn } from './scope.ts';
import type { Scope } from './scope.ts';
import {
  hintOfCall,
  isNode,
  literalOf,
  outputsOf,
  passesValuesOn,
  readsClock,
  renamed,
  targetNames,
} from './tree.ts';
import type { HintWorld, KnownRelation, Outputs } from './tree.ts';

const COMPARISONS = new Set(['=', '<>', '!=', '<', '>', '<=', '>=']);
const ORDERINGS = new Set(['<', '>', '<=', '>=']);

export class QueryReader {
  readonly #world: HintWorld;
  readonly #book: HintBook;

  constructor(world: HintWorld, book: HintBook) {
    this.#world = world;
    this.#book = book;
  }

  /** Reads a statement; gives the places of a query's columns in order. */
  statement(node: Node): readonly (Place | null)[] {
    return [...this.#statement(node, null).values()];
  }

  #statement(node: Node, outer: Scope | null): Outputs {
    if ('SelectStmt' in node) return this.#select(node.SelectStmt, outer);
    if ('InsertStmt' in node) return this.#insert(node.InsertStmt, outer);
    if ('UpdateStmt' in node) {
      const { relation, fromClause, whereClause, targetList, withClause } = node.UpdateStmt;
      const scope = this.#scope(withClause, outer);
      const target = this.#table(relation, scope);
      for (const item of fromClause ?? []) this.#from(item, scope);
      this.#assign(targetList, target, scope);
      this.#visit(whereClause, scope);
      return this.#outputs(node.UpdateStmt.returningClause?.exprs, scope);
    }
    if ('DeleteStmt' in node) {
      const { relation, usingClause, whereClause, withClause } = node.DeleteStmt;
      const scope = this.#scope(withClause, outer);
      this.#table(relation, scope);
      for (const item of usingClause ?? []) this.#from(item, scope);
      this.#visit(whereClause, scope);
      return this.#outputs(node.DeleteStmt.returningClause?.exprs, scope);
    }
    if ('MergeStmt' in node) {
      const { relation, sourceRelation, joinCondition, mergeWhenClauses, withClause } =
        node.MergeStmt;
      const scope = this.#scope(withClause, outer);
      const target = this.#table(relation, scope);
      if (sourceRelation) this.#from(sourceRelation, scope);
      this.#visit(joinCondition, scope);
      for (const clause of mergeWhenClauses ?? []) {
        if (!('MergeWhenClause' in clause)) continue;
        const { condition, targetList, values } = clause.MergeWhenClause;
        this.#visit(condition, scope);
        if (values === undefined) this.#assign(targetList, target, scope);
        else
          this.#flow(
            target,
            targetNames(targetList),
            values.map((value) => this.#value(value, scope)),
          );
      }
      return new Map();
    }
    if ('CreateTableAsStmt' in node && node.CreateTableAsStmt.query) {
      return this.#statement(node.CreateTableAsStmt.query, outer);
    }
    for (const child of children(node))
      this.#visitAny(child, { sources: [], ctes: new Map(), outer });
    return new Map();
  }

  #insert(
    insert: Extract<Node, { InsertStmt: unknown }>['InsertStmt'],
    outer: Scope | null,
  ): Outputs {
    const scope = this.#scope(insert.withClause, outer);
    const target = this.#table(insert.relation, scope);
    const listed = targetNames(insert.cols);
    const columns = listed.length > 0 ? listed : (target?.columns ?? []);
    const select = insert.selectStmt;
    if (select && 'SelectStmt' in select) {
      for (const row of select.SelectStmt.valuesLists ?? []) {
        if ('List' in row) {
          const values = (row.List.items ?? []).map((value) => this.#value(value, scope));
          this.#flow(target, columns, values);
        }
      }
      if (select.SelectStmt.valuesLists === undefined) {
        const inner = { ...scope, sources: [] };
        this.#flow(target, columns, [...this.#select(select.SelectStmt, inner).values()]);
      }
    }
    const conflict = insert.onConflictClause;
    if (conflict) {
      this.#assign(conflict.targetList, target, scope);
      this.#visit(conflict.whereClause, scope);
    }
    return this.#outputs(insert.returningClause?.exprs, scope);
  }

  #select(select: SelectStmt, outer: Scope | null): Outputs {
    const scope = this.#scope(select.withClause, outer);
    if (select.larg && select.rarg) {
      const left = this.#select(select.larg, { ...scope, sources: [] });
      const right = [...this.#select(select.rarg, { ...scope, sources: [] }).values()];
      for (const [index, place] of [...left.values()].entries())
        this.#join(place, right[index] ?? null);
      return left;
    }
    for (const item of select.fromClause ?? []) this.#from(item, scope);
    for (const row of select.valuesLists ?? []) this.#visit(row, scope);
    this.#visit(select.whereClause, scope);
    this.#visit(select.havingClause, scope);
    for (const list of [select.groupClause, select.sortClause, select.distinctClause]) {
      for (const item of list ?? []) this.#visit(item, scope);
    }
    this.#rank(select.distinctClause, select.sortClause, scope);
    for (const item of select.windowClause ?? []) {
      if ('WindowDef' in item) this.#window(item.WindowDef, scope);
    }
    return this.#outputs(select.targetList, scope);
  }

  #outputs(targets: readonly Node[] | undefined, scope: Scope): Outputs {
    const outputs = new Map<string, Place | null>();
    for (const target of targets ?? []) {
      if (!('ResTarget' in target) || !target.ResTarget.val) continue;
      const { name, val } = target.ResTarget;
      const path = 'ColumnRef' in val ? columnPath(val.ColumnRef) : [];
      if (path.at(-1) === '*') {
        for (const [column, place] of allColumns(path, scope)) outputs.set(column, place);
        continue;
      }
      const column = name ?? path.at(-1) ?? '';
      // `SELECT a.id, b.id`: the second must not take the place of the first.
      const isTaken = column === '' || outputs.has(column);
      outputs.set(isTaken ? `${column}?${outputs.size}` : column, this.#value(val, scope));
    }
    return outputs;
  }

  #scope(withClause: { ctes?: Node[] } | undefined, outer: Scope | null): Scope {
    const ctes = new Map(outer?.ctes ?? []);
    const scope: Scope = { sources: [], ctes, outer };
    for (const item of withClause?.ctes ?? []) {
      if (!('CommonTableExpr' in item)) continue;
      const { ctename, ctequery, aliascolnames } = item.CommonTableExpr;
      // A recursive part reads its own name, which then is nothing known.
      const outputs = ctequery ? this.#statement(ctequery, { ...scope, sources: [] }) : new Map();
      ctes.set(ctename ?? '', renamed(outputs, names(aliascolnames)));
    }
    return scope;
  }

  #from(item: Node, scope: Scope): void {
    if ('RangeVar' in item) this.#table(item.RangeVar, scope);
    else if ('RangeSubselect' in item && item.RangeSubselect.subquery) {
      const { subquery, alias } = item.RangeSubselect;
      const outputs = this.#statement(subquery, scope);
      const columns = names(alias?.colnames);
      scope.sources.push({ alias: alias?.aliasname ?? '', outputs: renamed(outputs, columns) });
    } else if ('JoinExpr' in item) {
      const { larg, rarg, quals, usingClause } = item.JoinExpr;
      const first = scope.sources.length;
      if (larg) this.#from(larg, scope);
      const middle = scope.sources.length;
      if (rarg) this.#from(rarg, scope);
      for (const name of names(usingClause)) {
        const on = (from: number, to: number) =>
          scope.sources.slice(from, to).flatMap(({ outputs }) => outputs.get(name) ?? [])[0] ??
          null;
        this.#join(on(first, middle), on(middle, scope.sources.length));
      }
      this.#visit(quals, scope);
    } else for (const child of children(item)) this.#visitAny(child, scope);
  }

  #table(
    range:
      | { schemaname?: string; relname?: string; alias?: { aliasname?: string; colnames?: Node[] } }
      | undefined,
    scope: Scope,
  ): KnownRelation | null {
    const { schemaname = null, relname = '', alias } = range ?? {};
    const cte = schemaname === null ? scope.ctes.get(relname) : undefined;
    const known = cte === undefined ? this.#world.relation(schemaname, relname) : null;
    const outputs = cte ?? (known === null ? new Map<string, Place | null>() : outputsOf(known));
    const columns = names(alias?.colnames);
    scope.sources.push({ alias: alias?.aliasname ?? relname, outputs: renamed(outputs, columns) });
    return known;
  }

  /** `SET column = value, …`. */
  #assign(targets: readonly Node[] | undefined, table: KnownRelation | null, scope: Scope): void {
    for (const target of targets ?? []) {
      if (!('ResTarget' in target) || !target.ResTarget.val) continue;
      const place = this.#value(target.ResTarget.val, scope);
      if (target.ResTarget.name !== undefined) this.#flow(table, [target.ResTarget.name], [place]);
    }
  }

  #flow(
    table: KnownRelation | null,
    columns: readonly string[],
    values: readonly (Place | null)[],
  ): void {
    if (table === null || table.sources !== null) return;
    for (const [index, column] of columns.entries()) {
      this.#join(columnPlace(table.name, column), values[index] ?? null);
    }
  }

  #join(first: Place | null, second: Place | null): void {
    if (first !== null && second !== null) this.#book.join(first, second);
  }

  /** Reads an expression; gives the place whose values it passes on. */
  #value(node: Node, scope: Scope): Place | null {
    this.#visit(node, scope);
    return this.#placeOf(node, scope);
  }

  #placeOf(node: Node | undefined, scope: Scope): Place | null {
    if (node === undefined) return null;
    if ('ColumnRef' in node) return this.#column(columnPath(node.ColumnRef), scope);
    if ('TypeCast' in node) return this.#placeOf(node.TypeCast.arg, scope);
    if ('CollateClause' in node) return this.#placeOf(node.CollateClause.arg, scope);
    if ('CoalesceExpr' in node) return this.#placeOf(node.CoalesceExpr.args?.[0], scope);
    if ('FuncCall' in node) {
      const name = functionPath(node.FuncCall).at(-1) ?? '';
      if (!passesValuesOn(name)) return null;
      const args = node.FuncCall.args ?? [];
      return this.#placeOf(args[name === 'date_trunc' ? 1 : 0], scope);
    }
    if ('A_Expr' in node) return this.#jsonPlace(node.A_Expr, scope);
    return null;
  }

  /** `payload ->> 'key'`, and chains of such: a place of its own below the JSON column. */
  #jsonPlace({ name, lexpr, rexpr }: A_Expr, scope: Scope): Place | null {
    const operator = names(name)[0] ?? '';
    if (operator !== '->' && operator !== '->>') return null;
    const parent = this.#placeOf(lexpr, scope);
    const key = literalOf(rexpr);
    if (parent === null || key === null) return null;
    const place = `${parent} ${operator === '->' ? '' : ''}${key}`;
    this.#book.add(parent, { kind: 'json', key, place });
    return place;
  }

  #column(path: readonly string[], scope: Scope): Place | null {
    const place = columnIn(path, scope);
    if (place !== undefined) return place;
    return path.length <= 2 ? this.#world.variable(path.join('.')) : null;
  }

  #visitAny(value: object, scope: Scope): void {
    if (isNode(value)) this.#visit(value, scope);
    else for (const child of children(value)) this.#visitAny(child, scope);
  }

  #visit(node: Node | undefined, scope: Scope): void {
    if (node === undefined) return;
    if ('SelectStmt' in node) {
      this.#select(node.SelectStmt, scope);
      return;
    }
    if ('SubLink' in node) {
      const { subselect, testexpr } = node.SubLink;
      const outputs = subselect ? [...this.#statement(subselect, scope).values()] : [];
      if (testexpr) this.#join(this.#value(testexpr, scope), outputs[0] ?? null);
      return;
    }
    if ('A_Expr' in node) this.#comparison(node.A_Expr, scope);
    if ('TypeCast' in node) {
      const place = this.#placeOf(node.TypeCast.arg, scope);
      const type = typeText(node.TypeCast.typeName);
      if (place !== null && type !== null) this.#book.add(place, { kind: 'cast', type });
    }
    if ('FuncCall' in node) this.#call(node.FuncCall, scope);
    if ('CaseExpr' in node) this.#case(node.CaseExpr, scope);
    for (const child of children(node)) this.#visitAny(child, scope);
  }

  #comparison(expression: A_Expr, scope: Scope): void {
    const operator = names(expression.name)[0] ?? '';
    const { lexpr, rexpr, kind } = expression;
    const left = this.#placeOf(lexpr, scope);
    const right = this.#placeOf(rexpr, scope);
    if (kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE') {
      const pattern = literalOf(rexpr);
      if (left !== null && pattern !== null)
        this.#book.add(left, { kind: 'pattern', value: pattern });
      return;
    }
    if (kind === 'AEXPR_IN' || kind === 'AEXPR_BETWEEN' || kind === 'AEXPR_NOT_BETWEEN') {
      const items = rexpr !== undefined && 'List' in rexpr ? (rexpr.List.items ?? []) : [];
      const bound = kind !== 'AEXPR_IN';
      for (const item of items) this.#meet(left, item, this.#placeOf(item, scope), bound);
      return;
    }
    if (
      kind === 'AEXPR_NULLIF' ||
      kind === 'AEXPR_DISTINCT' ||
      kind === 'AEXPR_NOT_DISTINCT' ||
      COMPARISONS.has(operator)
    ) {
      const bound = ORDERINGS.has(operator);
      this.#meet(left, rexpr, right, bound);
      this.#meet(right, lexpr, left, bound);
    }
  }

  /** A place meets another expression in a comparison. */
  #meet(
    place: Place | null,
    other: Node | undefined,
    otherPlace: Place | null,
    bound: boolean,
  ): void {
    if (place === null || other === undefined) return;
    const value = literalOf(other);
    if (value !== null) this.#book.add(place, { kind: bound ? 'bound' : 'literal', value });
    else if (readsClock(other)) this.#book.add(place, { kind: 'clock' });
    else this.#join(place, otherPlace);
  }

  #window({ partitionClause, orderClause }: WindowDef, scope: Scope): void {
    this.#rank(partitionClause, orderClause, scope);
  }

  #rank(
    partition: readonly Node[] | undefined,
    order: readonly Node[] | undefined,
    scope: Scope,
  ): void {
    const places = (nodes: readonly Node[] = []) =>
      nodes.map((node) => this.#placeOf('SortBy' in node ? node.SortBy.node : node, scope));
    this.#book.rank(places(partition), places(order));
  }

  #call(call: FuncCall, scope: Scope): void {
    if (call.over !== undefined) this.#window(call.over, scope);
    const path = functionPath(call);
    const name = path.at(-1) ?? '';
    const args = call.args ?? [];
    for (const [index, parameter] of this.#world.parameters(path, args.length).entries()) {
      const passed = this.#placeOf(args[index], scope);
      if (passed !== null) this.#book.pass(passed, parameter);
    }
    const place = this.#placeOf(args[0], scope);
    const hint = hintOfCall(name, literalOf(args[1]));
    if (place !== null && hint !== null) this.#book.add(place, hint);
  }

  #case(expression: Extract<Node, { CaseExpr: unknown }>['CaseExpr'], scope: Scope): void {
    const place = this.#placeOf(expression.arg, scope);
    if (place === null) return;
    for (const arm of expression.args ?? []) {
      const value = 'CaseWhen' in arm ? literalOf(arm.CaseWhen.expr) : null;
      if (value !== null) this.#book.add(place, { kind: 'literal', value });
    }
  }
}
