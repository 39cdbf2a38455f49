/** What a statement of a file is for, and so how it is run when a sandbox is filled from files. */
import type { CreateFunctionStmt, FuncCall, Node } from 'libpg-query';
import { parseSql, scan } from '../translate/postgres/parser.ts';
import { functionPath, names, typeText, walk } from '../translate/postgres/tree.ts';

export interface RoutineHead {
  /** Null where the file gives none. */
  readonly schema: string | null;
  readonly name: string;
  /** Types of the arguments that a caller passes, as far as the text tells. */
  readonly argumentTypes: readonly string[];
}

export type StatementRole =
  /** Makes something; tried again later where what it needs isn't there yet. */
  | { readonly kind: 'create' }
  | { readonly kind: 'routine'; readonly head: RoutineHead }
  /** Changes rows; tried again later, because its table may come later. */
  | { readonly kind: 'data' }
  /** Takes something away or reads: tried once, in its place. */
  | { readonly kind: 'once' }
  /** A call of stored code from outside: tells what its arguments look like. */
  | { readonly kind: 'call'; readonly routine: readonly string[] }
  /** Changes the session, and with it what unqualified names mean. */
  | { readonly kind: 'setting' }
  /** Means nothing for rows: its failing is worth a note, no more. */
  | { readonly kind: 'lenient'; readonly what: string }
  /** Never run in a sandbox. */
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'invalid'; readonly message: string; readonly head: RoutineHead | null };

const ONCE = new Set([
  'DropStmt',
  'TruncateStmt',
  'DeleteStmt',
  'ExplainStmt',
  'VariableShowStmt',
  'VacuumStmt',
  'LockStmt',
  'AnalyzeStmt',
  'CheckPointStmt',
  'DropOwnedStmt',
  'ReindexStmt',
  'ClusterStmt',
  'NotifyStmt',
  'ListenStmt',
  'UnlistenStmt',
  'DiscardStmt',
  'DeallocateStmt',
  'SelectStmt',
]);

const DATA = new Set(['InsertStmt', 'UpdateStmt', 'MergeStmt', 'CopyStmt', 'DoStmt']);

const LENIENT: Readonly<Record<string, string>> = {
  CreateExtensionStmt: 'extension',
  AlterExtensionStmt: 'extension',
  AlterOwnerStmt: 'owner',
  GrantStmt: 'privilege',
  AlterDefaultPrivilegesStmt: 'privilege',
  CommentStmt: 'comment',
  SecLabelStmt: 'security label',
  CreatePolicyStmt: 'row security policy',
  AlterPolicyStmt: 'row security policy',
  CreatePublicationStmt: 'publication',
  AlterPublicationStmt: 'publication',
  CreateEventTrigStmt: 'event trigger',
  AlterEventTrigStmt: 'event trigger',
  CreateStatsStmt: 'statistics',
  ReplicaIdentityStmt: 'replica identity',
};

const OTHER_SERVER = 'it changes the server, not the database';
const NO_TRANSACTION = 'every statement is a transaction of its own here';

const IGNORED: Readonly<Record<string, string>> = {
  TransactionStmt: NO_TRANSACTION,
  CreatedbStmt: OTHER_SERVER,
  DropdbStmt: OTHER_SERVER,
  AlterDatabaseStmt: OTHER_SERVER,
  AlterDatabaseSetStmt: OTHER_SERVER,
  AlterSystemStmt: OTHER_SERVER,
  CreateRoleStmt: OTHER_SERVER,
  AlterRoleStmt: OTHER_SERVER,
  AlterRoleSetStmt: OTHER_SERVER,
  DropRoleStmt: OTHER_SERVER,
  GrantRoleStmt: OTHER_SERVER,
  CreateTableSpaceStmt: OTHER_SERVER,
  DropTableSpaceStmt: OTHER_SERVER,
  CreateSubscriptionStmt: 'it would connect to another server',
  AlterSubscriptionStmt: 'it would connect to another server',
  DropSubscriptionStmt: 'it would connect to another server',
};

const LENIENT_TABLE_CHANGES = new Set([
  'AT_ChangeOwner',
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
  'AT_ReplicaIdentity',
  'AT_ClusterOn',
  'AT_SetTableSpace',
]);

/** Settings whose failing or holding would change nothing for the better in a sandbox. */
const ROLE_SETTINGS = new Set(['role', 'session_authorization']);

const ROUTINES = new Set(['FUNCTION', 'PROCEDURE']);

export function statementRole(text: string): StatementRole {
  // Most statements of most files are rows: not worth a parse tree.
  if (/^insert\s/iu.test(text)) return { kind: 'data' };
  try {
    const statement = parseSql(text).stmts?.[0]?.stmt;
    return statement === undefined
      ? { kind: 'ignored', why: 'it is empty' }
      : roleOfTree(statement);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'invalid', message, head: headFromTokens(text) };
  }
}

function roleOfTree(statement: Node): StatementRole {
  const kind = Object.keys(statement)[0] ?? '';
  if ('CreateFunctionStmt' in statement) {
    return { kind: 'routine', head: headFromTree(statement.CreateFunctionStmt) };
  }
  if ('CallStmt' in statement) return callRole(statement.CallStmt.funccall);
  if ('SelectStmt' in statement) return selectRole(statement);
  if ('VariableSetStmt' in statement) {
    const name = statement.VariableSetStmt.name ?? '';
    const role = ROLE_SETTINGS.has(name);
    return role ? { kind: 'ignored', why: 'roles mean nothing here' } : { kind: 'setting' };
  }
  if ('AlterTableStmt' in statement) {
    const changes = (statement.AlterTableStmt.cmds ?? []).map((command) =>
      'AlterTableCmd' in command ? (command.AlterTableCmd.subtype ?? '') : '',
    );
    const lenient = changes.every((change) => LENIENT_TABLE_CHANGES.has(change));
    return lenient ? { kind: 'lenient', what: 'table setting' } : { kind: 'create' };
  }
  if ('CreateSchemaStmt' in statement) {
    const { authrole, schemaElts } = statement.CreateSchemaStmt;
    // Where its owner is not here, the schema is made when something needs it.
    const owned = authrole !== undefined && schemaElts === undefined;
    return owned ? { kind: 'lenient', what: 'owner of a schema' } : { kind: 'create' };
  }
  const ignored = IGNORED[kind];
  if (ignored !== undefined) return { kind: 'ignored', why: ignored };
  const lenient = LENIENT[kind];
  if (lenient !== undefined) return { kind: 'lenient', what: lenient };
  if (DATA.has(kind)) return { kind: 'data' };
  return ONCE.has(kind) ? { kind: 'once' } : { kind: 'create' };
}

/** `SELECT f(…)` and `SELECT * FROM f(…)` are how functions are called by hand. */
function selectRole(select: Extract<Node, { SelectStmt: unknown }>): StatementRole {
  const { intoClause, targetList, fromClause } = select.SelectStmt;
  if (intoClause !== undefined) return { kind: 'create' };
  let sets = false;
  walk(select, (node) => {
    if ('FuncCall' in node && isCall(node.FuncCall)) {
      sets ||= functionPath(node.FuncCall).at(-1) === 'set_config';
    }
  });
  if (sets) return { kind: 'setting' };
  const [target] = targetList ?? [];
  const [source] = fromClause ?? [];
  if (source === undefined) {
    const value = target && 'ResTarget' in target ? target.ResTarget.val : undefined;
    return callRole(value && 'FuncCall' in value ? value.FuncCall : undefined);
  }
  const list = 'RangeFunction' in source ? source.RangeFunction.functions?.[0] : undefined;
  const called = list && 'List' in list ? list.List.items?.[0] : undefined;
  return callRole(called && 'FuncCall' in called ? called.FuncCall : undefined);
}

function isCall(value: unknown): value is FuncCall {
  return typeof value === 'object' && value !== null && 'funcname' in value;
}

function callRole(call: FuncCall | undefined): StatementRole {
  return call === undefined ? { kind: 'once' } : { kind: 'call', routine: functionPath(call) };
}

function headFromTree(create: CreateFunctionStmt): RoutineHead {
  const path = names(create.funcname);
  const argumentTypes = (create.parameters ?? []).flatMap((node) => {
    if (!('FunctionParameter' in node)) return [];
    const { mode, argType } = node.FunctionParameter;
    const passed =
      mode !== 'FUNC_PARAM_TABLE' && (mode !== 'FUNC_PARAM_OUT' || create.is_procedure === true);
    return passed ? [typeText(argType) ?? names(argType?.names).join('.')] : [];
  });
  return {
    schema: path.length > 1 ? (path[0] ?? null) : null,
    name: path.at(-1) ?? '',
    argumentTypes,
  };
}

/**
 * The first `CREATE [OR REPLACE] FUNCTION|PROCEDURE name` of a text that does not parse, wherever it
 * stands: what is wrong may stand before it.
 */
export function headFromTokens(text: string): RoutineHead | null {
  const words = tokensOf(text).filter((token) => token.kind !== 'comment');
  const kindAt = (create: number) => create + (words[create + 1]?.keyword === 'OR' ? 3 : 1);
  const create = words.findIndex(
    ({ keyword }, at) => keyword === 'CREATE' && ROUTINES.has(words[kindAt(at)]?.keyword ?? ''),
  );
  const kind = kindAt(create);
  const first = create < 0 ? undefined : words[kind + 1];
  if (first === undefined) return null;
  const qualified = words[kind + 2]?.text === '.';
  const last = qualified ? words[kind + 3] : first;
  if (last === undefined) return null;
  const schema = qualified ? unquoted(first.text) : null;
  return { schema, name: unquoted(last.text), argumentTypes: [] };
}

/** Up to the first quote, where one of them is never closed. */
function tokensOf(text: string): ReturnType<typeof scan> {
  try {
    return scan(text);
  } catch {
    const quote = text.search(/['$]|\/\*/u);
    return quote <= 0 ? [] : tokensOf(text.slice(0, quote));
  }
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase();
}

/** Schemas that a statement names, in the order of its tree; empty where it does not parse. */
export function schemasNamed(text: string): readonly string[] {
  const found = new Set<string>();
  const role = statementRole(text);
  if (role.kind === 'routine' && role.head.schema !== null) found.add(role.head.schema);
  if (role.kind === 'invalid') return [];
  walk(parseSql(text), (node) => {
    if ('schemaname' in node && typeof node.schemaname === 'string') found.add(node.schemaname);
  });
  return [...found];
}

/** Sequences that column defaults of a table take their values from, as the text names them. */
export function sequencesNamed(text: string): readonly string[] {
  const statements = parsedOrNone(text);
  const found = new Set<string>();
  for (const statement of statements) {
    if (!('CreateStmt' in statement) && !('AlterTableStmt' in statement)) continue;
    walk(statement, (node) => {
      if (!('FuncCall' in node) || !isCall(node.FuncCall)) return;
      if (functionPath(node.FuncCall).at(-1) !== 'nextval') return;
      const [argument] = node.FuncCall.args ?? [];
      const value = argument && 'TypeCast' in argument ? argument.TypeCast.arg : argument;
      const name = value && 'A_Const' in value ? value.A_Const.sval?.sval : undefined;
      if (name !== undefined) found.add(name);
    });
  }
  return [...found];
}

function parsedOrNone(text: string): readonly Node[] {
  try {
    return (parseSql(text).stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
  } catch {
    return [];
  }
}
