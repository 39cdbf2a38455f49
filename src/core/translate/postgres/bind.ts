/**
 * Binds the names in a statement: tables to their current versions, variables to their values.
 *
 * The binder walks the parse tree with the scopes that PostgreSQL would see and notes edits in the
 * author's text. What it does not need to change stays as it was written.
 */
import type { LoopRead } from '../bound.ts';
import type { Node, SelectStmt, WithClause } from 'libpg-query';
import { bindCall, bindCast, bindClock } from './bind-calls.ts';
import { bindFrom } from './bind-from.ts';
import { bindName, nameOutputs } from './bind-names.ts';
import { clockValueType } from './clock.ts';
import type { BindEnvironment } from './environment.ts';
import { typeOf } from './infer.ts';
import { loopPairs, queryKeys, sortColumns } from './keys.ts';
import { givesSeveral } from './set-returning.ts';
import type { JoinCondition } from './keys.ts';
import { selectOutputs } from './outputs.ts';
import { UNKNOWN_SHAPE, findColumn, newScope, renamed } from './scope.ts';
import type { QueryShape, Scope } from './scope.ts';
import type { SourceText } from './source.ts';
import { children, columnPath, functionPath, names } from './tree.ts';
import { refuse } from '../refusals.ts';
import type { Place } from '../refusals.ts';
import type { ColumnInfo, Version } from '../version.ts';

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
    const several = givesSeveral(select, (path) => this.environment.returnsSet(path));
    const numbered = several ? [] : (outputs ?? []);
    return {
      columns: columns ?? null,
      keys: queryKeys(select, scope, outputs, conditions, several),
      rowNumbers: numbered.flatMap((output) => rowNumber(output.name, output.node)),
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

  /** Binds FROM into a scope; gives the conditions of its joins. */
  fromClause(nodes: readonly Node[], scope: Scope): JoinCondition[] {
    return bindFrom(this, nodes, scope);
  }

  #clauses(select: SelectStmt, scope: Scope, outputNames: readonly string[]): void {
    if (this.namesOutputs) nameOutputs(this, select.targetList ?? [], scope);
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

  /** Binds an expression: column references, variables, clocks, calls, subqueries. */
  expression(node: Node, scope: Scope | null): void {
    if ('ColumnRef' in node) {
      bindName(this, columnPath(node.ColumnRef), this.source.index(node.ColumnRef.location), scope);
    } else if ('ParamRef' in node) {
      const start = this.source.index(node.ParamRef.location);
      const value = this.environment.positional(node.ParamRef.number ?? 0);
      if (!value)
        refuse('unknown-name', this.place(start, 3), 'There is no parameter of this number.');
      this.source.edit(start, this.source.endOfName(start, 1), value.sql);
    } else if ('SQLValueFunction' in node) {
      const type = clockValueType(node.SQLValueFunction.op);
      if (type !== null) bindClock(this, this.source.index(node.SQLValueFunction.location), type);
    } else if ('MergeSupportFunc' in node) {
      const start = this.source.index(node.MergeSupportFunc.location);
      refuse('return-value', this.place(start), 'Which arm of the MERGE has acted is not told.');
    } else if ('FuncCall' in node) {
      bindCall(this, node.FuncCall, scope);
    } else if ('TypeCast' in node) {
      bindCast(this, node.TypeCast, scope);
    } else if ('SubLink' in node) {
      if (node.SubLink.testexpr) this.expression(node.SubLink.testexpr, scope);
      const query = node.SubLink.subselect;
      if (query && 'SelectStmt' in query) this.query(query.SelectStmt, scope);
    } else {
      this.children(node, scope);
    }
  }

  /** Binds every expression directly below a node. */
  children(node: object, scope: Scope | null): void {
    for (const child of children(node)) this.expression(child as Node, scope);
  }
}

function leftmost(select: SelectStmt): SelectStmt {
  let at = select;
  while (at.larg) at = at.larg;
  return at;
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
