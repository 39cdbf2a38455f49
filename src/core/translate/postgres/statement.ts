/**
 * Parses one SQL statement of a routine and binds it.
 *
 * A WITH clause that writes makes several parts of one statement. They are bound one after the
 * other, since a later part may read what an earlier one returns.
 */
import type {
  AlterTableStmt,
  CommonTableExpr,
  CreateStmt,
  Node,
  RangeVar,
  SelectStmt,
  TableLikeClause,
} from 'libpg-query';
import type { BoundStatement, BoundWrite, CallArgument, TableColumn } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { sql, text } from '../fragment.ts';
import type { CodeText } from '../program.ts';
import { refuse } from '../refusals.ts';
import type { Version } from '../version.ts';
import { Binder } from './bind.ts';
import { between, findClauses } from './clauses.ts';
import { bindQuery, bindWrite } from './dml.ts';
import type { WriteContext } from './dml.ts';
import type { BindEnvironment } from './environment.ts';
import { parseSql } from './parser.ts';
import { newScope } from './scope.ts';
import { isMeaningful } from './settings.ts';
import { SourceText } from './source.ts';
import { functionPath, names, relationName, typeText } from './tree.ts';

/** One part of a statement: a CTE that stands alone, or the statement itself. */
export interface StatementPart {
  /** Name of the CTE; null for the statement itself. */
  readonly name: string | null;
  /** `relations`: what the CTEs before it gave, by name. */
  bind(relations: ReadonlyMap<string, Version>): BoundStatement;
}

const IGNORED: Readonly<Record<string, string>> = {
  VacuumStmt: 'VACUUM or ANALYZE is left out: dbt or autovacuum does it.',
  IndexStmt: "CREATE INDEX is left out: state indexes in the model's config.",
  LockStmt: 'LOCK TABLE is left out: dbt swaps tables as a whole.',
  CommentStmt: 'COMMENT is left out: descriptions stand in the YAML.',
  GrantStmt: "GRANT is left out: state grants in the model's config.",
  ConstraintsSetStmt: 'SET CONSTRAINTS is left out.',
  CheckPointStmt: 'CHECKPOINT is left out.',
  NotifyStmt: 'NOTIFY is left out: it changes no rows.',
  ReindexStmt: 'REINDEX is left out.',
  ClusterStmt: 'CLUSTER is left out.',
  CreateSchemaStmt: 'CREATE SCHEMA is left out: dbt makes schemas.',
  CreateStatsStmt: 'CREATE STATISTICS is left out.',
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW is left out: the view becomes a model.',
  TransactionStmt: 'Transaction control is left out: each model commits as a whole.',
  DiscardStmt: 'DISCARD is left out.',
};

/** Parses; throws the parser's error. */
export function readStatement(
  code: CodeText,
  environment: BindEnvironment,
): readonly StatementPart[] {
  const source = new SourceText(code.text, code.line);
  const node = parseSql(code.text).stmts?.[0]?.stmt;
  if (!node) return [];
  const ctes = writingCtes(node);
  if (ctes === null)
    return [{ name: null, bind: () => bindWhole(node, code, source, environment) }];
  const parts = ctes.map((cte): StatementPart => ({
    name: cte.ctename ?? '',
    bind: (relations) => bindCte(cte, code, environment, relations),
  }));
  const main = withClauseEnd(source);
  const whole: StatementPart = {
    name: null,
    bind: (relations) =>
      bindWhole(
        node,
        code,
        new SourceText(code.text, code.line),
        withRelations(environment, relations),
        main,
      ),
  };
  return [...parts, whole];
}

/** Whether a statement only reads. False where it does not parse. */
export function isPlainQuery(code: CodeText): boolean {
  try {
    const node = parseSql(code.text).stmts?.[0]?.stmt;
    return (
      node !== undefined &&
      'SelectStmt' in node &&
      !node.SelectStmt.intoClause &&
      writingCtes(node) === null
    );
  } catch {
    return false;
  }
}

/** CTEs of a WITH clause of which at least one writes; null where none does. */
function writingCtes(node: Node): readonly CommonTableExpr[] | null {
  const statement = Object.values(node)[0] as { withClause?: { ctes?: Node[] } };
  const ctes = (statement.withClause?.ctes ?? []).flatMap((cte) =>
    'CommonTableExpr' in cte ? [cte.CommonTableExpr] : [],
  );
  return ctes.some((cte) => cte.ctequery && !('SelectStmt' in cte.ctequery)) ? ctes : null;
}

function withRelations(
  environment: BindEnvironment,
  relations: ReadonlyMap<string, Version>,
): BindEnvironment {
  return {
    relation: (name) =>
      (name.schema === null ? relations.get(name.name) : undefined) ?? environment.relation(name),
    variable: (path) => environment.variable(path),
    positional: (index) => environment.positional(index),
    functionCall: (path, place) => environment.functionCall(path, place),
    target: (name, alias, place) => environment.target(name, alias, place),
    defaultOf: (table, column) => environment.defaultOf(table, column),
    typeName: (path) => environment.typeName(path),
    loopItems: () => environment.loopItems(),
    prefersVariables: () => environment.prefersVariables(),
  };
}

/** Position of the first token after the WITH clause of a statement. */
function withClauseEnd(source: SourceText): number {
  const [first] = findClauses(source, 1, [
    'INSERT',
    'UPDATE',
    'DELETE',
    'MERGE',
    'SELECT',
    'VALUES',
  ]);
  return first?.token ?? 0;
}

/** Binds the text of one CTE as a statement of its own. */
function bindCte(
  cte: CommonTableExpr,
  code: CodeText,
  environment: BindEnvironment,
  relations: ReadonlyMap<string, Version>,
): BoundStatement {
  const whole = new SourceText(code.text, code.line);
  const start = whole.index(cte.location);
  const [as] = findClauses(whole, whole.tokenAt(start), ['AS']);
  const open = whole.tokens.findIndex(
    (token, index) => index > (as?.token ?? 0) && token.text === '(',
  );
  const from = whole.tokens[open]?.end ?? 0;
  const to = whole.endOfBrackets(whole.tokens[open]?.start ?? 0) - 1;
  const inner = code.text.slice(from, to);
  const lead = inner.length - inner.trimStart().length;
  const innerCode: CodeText = { text: inner.trim(), line: whole.line(from + lead), comments: [] };
  const node = parseSql(innerCode.text).stmts?.[0]?.stmt;
  if (!node)
    refuse('parse-error', { line: code.line, construct: cte.ctename ?? '' }, 'The CTE is empty.');
  return bindWhole(
    node,
    innerCode,
    new SourceText(innerCode.text, innerCode.line),
    withRelations(environment, relations),
  );
}

function bindWhole(
  node: Node,
  code: CodeText,
  source: SourceText,
  environment: BindEnvironment,
  mainToken?: number,
): BoundStatement {
  const binder = new Binder(source, environment);
  const outer = newScope(null);
  outer.items.push(...environment.loopItems());
  const statement = Object.values(node)[0] as { withClause?: Parameters<Binder['with']>[0] };
  let firstToken = mainToken ?? 0;
  let withClause: Fragment = [];
  const isQuery = 'SelectStmt' in node;
  if (mainToken === undefined && statement.withClause && !isQuery) {
    binder.with(statement.withClause, outer);
    firstToken = withClauseEnd(source);
    withClause = source.slice(0, source.tokens[firstToken]?.start ?? 0);
  }
  const lines = { first: code.line, last: source.lastLine() };
  const context: WriteContext = {
    source,
    environment,
    binder,
    outer,
    firstToken,
    withClause,
    lines,
    comments: code.comments,
  };
  const common = {
    place: binder.place(source.tokens[firstToken]?.start ?? 0, 120),
    lines,
    comments: code.comments,
  };
  const write = bindWrite(mainToken === undefined ? node : withoutCtes(node), context);
  if (write) return withPrefixedSubqueries(write, withClause);
  if ('SelectStmt' in node) {
    const select =
      mainToken === undefined ? node.SelectStmt : { ...node.SelectStmt, withClause: {} };
    const start = source.tokens[firstToken]?.start ?? 0;
    if (select.intoClause?.rel)
      return bindSelectInto(select, select.intoClause.rel, context, common, start);
    return { ...common, kind: 'query', query: bindQuery(select, context, start, undefined) };
  }
  return bindOther(node, context, common);
}

/** `SELECT … INTO table`: the same as CREATE TABLE AS. */
function bindSelectInto(
  select: SelectStmt,
  relation: RangeVar,
  context: WriteContext,
  common: Common,
  start: number,
): BoundStatement {
  const { source } = context;
  const name = relationName(relation);
  const at = source.index(relation.location);
  const into = source.tokens.findLast(
    (token) => token.start < at && token.text.toUpperCase() === 'INTO',
  );
  source.edit(into?.start ?? at, source.endOfName(at, name.schema === null ? 1 : 2), text(''));
  const { intoClause: _into, ...query } = select;
  return {
    ...common,
    kind: 'create-as',
    table: {
      name: { schema: name.schema ?? '', name: name.name },
      temporary: relation.relpersistence === 't',
      alias: name.name,
    },
    query: bindQuery(query, context, start, undefined),
    head: null,
    onlyIfMissing: false,
  };
}

function withoutCtes(node: Node): Node {
  if ('InsertStmt' in node) return { InsertStmt: { ...node.InsertStmt, withClause: {} } };
  if ('UpdateStmt' in node) return { UpdateStmt: { ...node.UpdateStmt, withClause: {} } };
  if ('DeleteStmt' in node) return { DeleteStmt: { ...node.DeleteStmt, withClause: {} } };
  if ('MergeStmt' in node) return { MergeStmt: { ...node.MergeStmt, withClause: {} } };
  return node;
}

/** CTEs in front of UPDATE, DELETE or MERGE are seen by its FROM list: put them there. */
function withPrefixedSubqueries(write: BoundWrite, withClause: Fragment): BoundWrite {
  if (withClause.length === 0 || write.kind === 'insert') return write;
  return { ...write, prefix: withClause };
}

type Common = Pick<BoundStatement, 'place' | 'lines' | 'comments'>;

function bindOther(node: Node, context: WriteContext, common: Common): BoundStatement {
  const { environment, source } = context;
  if ('TruncateStmt' in node) {
    const tables = (node.TruncateStmt.relations ?? []).flatMap((relation) =>
      'RangeVar' in relation
        ? [
            environment.target(
              relationName(relation.RangeVar),
              relation.RangeVar.relname ?? '',
              common.place,
            ).table,
          ]
        : [],
    );
    return {
      ...common,
      kind: 'truncate',
      tables,
      restartIdentity: node.TruncateStmt.restart_seqs === true,
      cascade: node.TruncateStmt.behavior === 'DROP_CASCADE',
    };
  }
  if ('CreateTableAsStmt' in node) {
    const statement = node.CreateTableAsStmt;
    const relation = statement.into?.rel ?? {};
    const name = relationName(relation);
    const query = statement.query;
    if (!query || !('SelectStmt' in query) || statement.objtype !== 'OBJECT_TABLE') {
      refuse('statement', common.place, 'CREATE … AS without a query over tables.');
    }
    const [as] = findClauses(source, source.tokenAt(source.index(relation.location)), ['AS']);
    const [data] = findClauses(source, (as?.token ?? 0) + 1, ['WITH DATA', 'WITH NO DATA']);
    const start = source.tokens[(as?.token ?? 0) + 1]?.start ?? 0;
    const head = names(statement.into?.colNames);
    return {
      ...common,
      kind: 'create-as',
      table: {
        name: { schema: name.schema ?? '', name: name.name },
        temporary: relation.relpersistence === 't',
        alias: name.name,
        ...onCommit(statement.into?.onCommit),
      },
      query: bindQuery(query.SelectStmt, context, start, data?.token),
      head: head.length > 0 ? head : null,
      onlyIfMissing: statement.if_not_exists === true,
    };
  }
  if ('CreateStmt' in node) return bindCreate(node.CreateStmt, context, common);
  if ('DropStmt' in node) {
    const objects = (node.DropStmt.objects ?? []).map((object) =>
      names('List' in object ? object.List.items : []),
    );
    if (node.DropStmt.removeType === 'OBJECT_INDEX')
      return {
        ...common,
        kind: 'ignored',
        message: "DROP INDEX is left out: state indexes in the model's config.",
      };
    if (node.DropStmt.removeType !== 'OBJECT_TABLE')
      refuse('ddl', common.place, 'A database object is dropped.');
    return {
      ...common,
      kind: 'drop',
      tables: objects.map((path) => ({
        schema: path.length > 1 ? (path[0] ?? null) : null,
        name: path.at(-1) ?? '',
      })),
    };
  }
  if ('CallStmt' in node) {
    const call = node.CallStmt.funccall ?? {};
    return {
      ...common,
      kind: 'call',
      path: functionPath(call),
      arguments: bindArguments(call.args ?? [], context, source.index(call.location)),
    };
  }
  if ('CopyStmt' in node)
    refuse('copy', common.place, 'COPY moves rows between a table and a file.');
  if ('VariableSetStmt' in node) {
    const { name = '' } = node.VariableSetStmt;
    if (isMeaningful(name))
      refuse('session-setting', common.place, `SET ${name} changes what later statements mean.`);
    return {
      ...common,
      kind: 'ignored',
      message: `SET ${name} is left out: it changes the session, not the rows.`,
    };
  }
  if ('AlterTableStmt' in node) return bindAlter(node.AlterTableStmt, context, common);
  const [kind = ''] = Object.keys(node);
  const message = IGNORED[kind];
  if (message !== undefined) return { ...common, kind: 'ignored', message };
  refuse('ddl', common.place, "The statement changes the database's definition.");
}

/** ALTER TABLE that changes no row: constraints, owners, and columns that are there already. */
function bindAlter(
  statement: AlterTableStmt,
  context: WriteContext,
  common: Common,
): BoundStatement {
  const relation = statement.relation
    ? context.environment.relation(relationName(statement.relation))
    : null;
  const isThere = (name: string | undefined): boolean =>
    relation?.columns?.some((column) => column.name === name) === true;
  const changes = (statement.cmds ?? []).some((node) => {
    const command = 'AlterTableCmd' in node ? node.AlterTableCmd : {};
    if (command.subtype === 'AT_AddColumn') {
      const column =
        command.def && 'ColumnDef' in command.def ? command.def.ColumnDef.colname : undefined;
      return !(command.missing_ok && isThere(column));
    }
    return !HARMLESS.has(command.subtype ?? '');
  });
  if (changes) refuse('ddl', common.place, 'The statement changes the columns of a table.');
  return {
    ...common,
    kind: 'ignored',
    message:
      "ALTER TABLE is left out: the columns are there, and constraints stand in the model's contract.",
  };
}

/** Kinds of ALTER TABLE after which every row is as it was. */
const HARMLESS: ReadonlySet<string> = new Set([
  'AT_AddConstraint',
  'AT_DropConstraint',
  'AT_ValidateConstraint',
  'AT_ChangeOwner',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_ClusterOn',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_SetLogged',
  'AT_SetUnLogged',
]);

/** Binds the arguments of a call whose function name starts at an index of the text. */
export function bindArguments(
  nodes: readonly Node[],
  context: WriteContext,
  callStart: number,
): CallArgument[] {
  const { source, binder } = context;
  const open = source.tokens.findIndex((token) => token.start >= callStart && token.text === '(');
  const start = source.tokens[open]?.end ?? 0;
  const end = source.endOfBrackets(source.tokens[open]?.start ?? 0) - 1;
  for (const node of nodes)
    binder.expression(
      'NamedArgExpr' in node && node.NamedArgExpr.arg ? node.NamedArgExpr.arg : node,
      null,
    );
  let from = start;
  const commas = findClauses(source, open + 1, [',']).map(
    ({ token }) => source.tokens[token]?.start ?? end,
  );
  return nodes.map((node, index): CallArgument => {
    const to = commas[index] ?? end;
    let at = from;
    if ('NamedArgExpr' in node) {
      const arrow = source.tokens.find(
        (token) => token.start >= from && (token.text === '=>' || token.text === ':='),
      );
      at = arrow?.end ?? from;
    }
    const value = source.slice(at, to);
    from = to + 1;
    const inner = 'NamedArgExpr' in node && node.NamedArgExpr.arg ? node.NamedArgExpr.arg : node;
    return {
      name: 'NamedArgExpr' in node ? (node.NamedArgExpr.name ?? null) : null,
      value,
      type: binder.typeOf(inner, null),
      variable: 'ColumnRef' in inner ? names(inner.ColumnRef.fields) : null,
    };
  });
}

function bindCreate(statement: CreateStmt, context: WriteContext, common: Common): BoundStatement {
  const { environment, source, binder } = context;
  const relation = statement.relation ?? {};
  const name = relationName(relation);
  const columns: TableColumn[] = [];
  if (statement.inhRelations || statement.partbound || statement.partspec)
    refuse('ddl', common.place, 'A partition or a child table is made.');
  for (const element of statement.tableElts ?? []) {
    if ('TableLikeClause' in element && element.TableLikeClause.relation) {
      columns.push(...likeColumns(element.TableLikeClause, context, common));
    } else if ('ColumnDef' in element) {
      const { colname = '', typeName, constraints } = element.ColumnDef;
      const type = typeText(typeName);
      const serial = names(typeName?.names).at(-1)?.includes('serial') === true;
      let defaultSql: Fragment | null = serial ? text('row_number() over ()') : null;
      for (const constraint of constraints ?? []) {
        if (!('Constraint' in constraint)) continue;
        if (constraint.Constraint.contype === 'CONSTR_IDENTITY')
          defaultSql = text('row_number() over ()');
        if (constraint.Constraint.contype !== 'CONSTR_DEFAULT' || !constraint.Constraint.raw_expr)
          continue;
        binder.expression(constraint.Constraint.raw_expr, null);
        const at = source.tokenAt(source.index(constraint.Constraint.location));
        const [end] = findClauses(source, at + 1, [
          ',',
          'NOT NULL',
          'NULL',
          'PRIMARY',
          'UNIQUE',
          'CHECK',
          'REFERENCES',
          'CONSTRAINT',
        ]);
        const stretch = between(source, at, end?.token ?? endOfList(source, at));
        defaultSql = sql`(${source.slice(stretch.start, stretch.end)})`;
      }
      columns.push({ name: colname, type, defaultSql });
    }
  }
  return {
    ...common,
    kind: 'create',
    table: {
      name: { schema: name.schema ?? '', name: name.name },
      temporary: relation.relpersistence === 't',
      alias: name.name,
      ...onCommit(statement.oncommit),
    },
    columns,
    onlyIfMissing: statement.if_not_exists === true,
  };
}

const INCLUDING_DEFAULTS = 1 << 3;

/** Columns of `LIKE table`, with its defaults where they are included. */
function likeColumns(like: TableLikeClause, context: WriteContext, common: Common): TableColumn[] {
  const { environment } = context;
  if (!like.relation) return [];
  const name = relationName(like.relation);
  const version = environment.relation(name);
  const withDefaults = ((like.options ?? 0) & INCLUDING_DEFAULTS) !== 0;
  const target = withDefaults ? environment.target(name, name.name, common.place).table : null;
  return (version?.columns ?? []).map((column) => {
    const value = target ? environment.defaultOf(target, column.name) : null;
    return { ...column, defaultSql: value === 'sequence' ? text('row_number() over ()') : value };
  });
}

function onCommit(action: string | undefined): { readonly onCommit?: 'drop' | 'delete' } {
  if (action === 'ONCOMMIT_DROP') return { onCommit: 'drop' };
  return action === 'ONCOMMIT_DELETE_ROWS' ? { onCommit: 'delete' } : {};
}

/** Position of the bracket that closes the list around a token. */
function endOfList(source: SourceText, from: number): number {
  let depth = 0;
  for (let at = from; at < source.tokens.length; at += 1) {
    const token = source.tokens[at];
    if (token?.text === '(') depth += 1;
    if (token?.text === ')' && (depth -= 1) < 0) return at;
  }
  return source.tokens.length;
}
