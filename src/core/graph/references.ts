/**
 * What one SQL statement refers to, as its author wrote it: tables that it reads and writes, and
 * functions that it calls. Pure syntax; names are resolved elsewhere, because what they mean depends
 * on what was done before.
 */
import { callOf, searchPathCall } from './call-syntax.ts';
import type { CallReference } from './call-syntax.ts';
import type { RelationReference, WriteAction } from './reference-types.ts';
import { flagAt, isTree, listAt, nameParts, stringConstant, textAt, treeAt } from './tree.ts';
import type { Tree } from './tree.ts';

export interface WriteReference {
  readonly relation: RelationReference;
  readonly action: WriteAction;
  /** A temporary table is created. */
  readonly temporary: boolean;
  /** CREATE … IF NOT EXISTS: nothing happens where the table is there. */
  readonly ifNotExists: boolean;
  /** TRUNCATE … CASCADE: tables that refer to this one are emptied with it. */
  readonly cascade: boolean;
}

export interface References {
  readonly reads: readonly RelationReference[];
  readonly writes: readonly WriteReference[];
  readonly calls: readonly CallReference[];
  /** New search_path from here on; null where the statement leaves it. */
  readonly searchPath: readonly string[] | null;
}

/** Names of WITH queries that can be seen at one place, innermost first. */
interface CteScope {
  readonly name: string;
  readonly outer: CteScope | null;
}

const PLAIN_WRITE = { temporary: false, ifNotExists: false, cascade: false } as const;

const DML: Readonly<Record<string, WriteAction>> = {
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
  MergeStmt: 'merge',
};

/** Kinds of objects that hold rows, as DROP and ALTER name them. */
const RELATION_KINDS = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
]);

/** Utility statements of which only the inner query counts. */
const QUERY_HOLDERS = new Set(['DeclareCursorStmt', 'PrepareStmt']);

/** `statement` is a wrapped statement node of the parser: `{ SelectStmt: … }`. */
export function referencesOf(statement: unknown): References {
  const collector = new Collector();
  collector.statement(statement);
  return collector;
}

/** Walks with a stack of its own: the depth of an expression is no limit. */
class Collector implements References {
  readonly reads: RelationReference[] = [];
  readonly writes: WriteReference[] = [];
  readonly calls: CallReference[] = [];
  searchPath: readonly string[] | null = null;
  readonly #pending: { readonly value: unknown; readonly scope: CteScope | null }[] = [];

  statement(statement: unknown): void {
    if (!isTree(statement)) return;
    const [kind, content] = Object.entries(statement)[0] ?? ['', null];
    if (kind === 'SelectStmt' || kind in DML || QUERY_HOLDERS.has(kind))
      this.#later(statement, null);
    else if (isTree(content)) this.#utility(kind, content);
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.#visit(next.value, next.scope);
    }
  }

  #utility(kind: string, content: Tree): void {
    switch (kind) {
      case 'CreateTableAsStmt':
        this.#create(treeAt(treeAt(content, 'into'), 'rel'), flagAt(content, 'if_not_exists'));
        this.#later(content['query'], null);
        break;
      case 'CreateStmt':
        this.#create(treeAt(content, 'relation'), flagAt(content, 'if_not_exists'));
        break;
      case 'ViewStmt':
        this.#create(treeAt(content, 'view'));
        this.#later(content['query'], null);
        break;
      case 'RefreshMatViewStmt':
        this.#write(treeAt(content, 'relation'), 'refresh');
        this.#read(treeAt(content, 'relation'), null);
        break;
      case 'TruncateStmt':
        for (const relation of listAt(content, 'relations')) {
          const cascade = textAt(content, 'behavior') === 'DROP_CASCADE';
          this.#write(treeAt(relation, 'RangeVar'), 'truncate', { cascade });
        }
        break;
      case 'DropStmt':
        this.#drop(content);
        break;
      case 'AlterTableStmt':
        if (RELATION_KINDS.has(textAt(content, 'objtype') ?? '')) {
          this.#write(treeAt(content, 'relation'), 'alter');
        }
        break;
      case 'RenameStmt':
        this.#rename(content);
        break;
      case 'AlterObjectSchemaStmt':
        this.#write(treeAt(content, 'relation'), 'alter');
        break;
      case 'CopyStmt':
        this.#copy(content);
        break;
      case 'CallStmt':
        this.#call(treeAt(content, 'funccall'), true, null);
        break;
      case 'VariableSetStmt':
        if (textAt(content, 'name') === 'search_path') {
          this.searchPath = listAt(content, 'args').map((item) => stringConstant(item) ?? '');
        }
        break;
    }
  }

  #visit(value: unknown, scope: CteScope | null): void {
    if (Array.isArray(value)) {
      for (const item of value.toReversed()) this.#later(item, scope);
    } else if (isTree(value)) {
      for (const [key, child] of Object.entries(value).toReversed()) this.#field(key, child, scope);
    }
  }

  #field(key: string, child: unknown, scope: CteScope | null): void {
    if (typeof child !== 'object' || child === null) return;
    if (key === 'RangeVar') this.#read(isTree(child) ? child : null, scope);
    else if (key === 'FuncCall') this.#call(isTree(child) ? child : null, false, scope);
    else if (key === 'SelectStmt' || key === 'larg' || key === 'rarg') this.#select(child, scope);
    else if (DML[key] !== undefined) this.#change(child, DML[key], scope);
    // Names in FOR UPDATE OF are aliases.
    else if (key !== 'lockingClause') this.#later(child, scope);
  }

  #select(content: unknown, scope: CteScope | null): void {
    if (!isTree(content)) return;
    const { withClause, intoClause, ...rest } = content;
    const inner = this.#with(withClause, scope);
    this.#create(treeAt(intoClause, 'rel'));
    this.#later(rest, inner);
  }

  #change(content: unknown, action: WriteAction, scope: CteScope | null): void {
    if (!isTree(content)) return;
    const { withClause, relation, ...rest } = content;
    const inner = this.#with(withClause, scope);
    // The target of a change is never a WITH query, whatever their names.
    this.#write(isTree(relation) ? relation : null, action);
    this.#later(rest, inner);
  }

  /** Gives the scope of the query that the WITH belongs to. */
  #with(clause: unknown, outer: CteScope | null): CteScope | null {
    const queries = listAt(clause, 'ctes').map((item) => treeAt(item, 'CommonTableExpr'));
    const recursive = flagAt(clause, 'recursive');
    let scope = outer;
    const scopes = queries.map((query) => {
      const before = scope;
      scope = { name: textAt(query, 'ctename') ?? '', outer: scope };
      return before;
    });
    const whole = scope;
    for (const [index, query] of queries.entries()) {
      this.#later(query?.['ctequery'], recursive ? whole : (scopes[index] ?? outer));
    }
    return whole;
  }

  #read(range: Tree | null, scope: CteScope | null): void {
    const relation = relationOf(range);
    if (relation !== null && !isCte(relation, scope)) this.reads.push(relation);
  }

  #write(range: Tree | null, action: WriteAction, changed: Partial<WriteReference> = {}): void {
    const relation = relationOf(range);
    if (relation !== null) this.writes.push({ ...PLAIN_WRITE, relation, action, ...changed });
  }

  #create(range: Tree | null, ifNotExists = false): void {
    this.#write(range, 'create', {
      temporary: textAt(range, 'relpersistence') === 't',
      ifNotExists,
    });
  }

  #drop(content: Tree): void {
    if (!RELATION_KINDS.has(textAt(content, 'removeType') ?? '')) return;
    for (const object of listAt(content, 'objects')) {
      const parts = nameParts(listAt(treeAt(object, 'List'), 'items'));
      const relation = { schema: parts.at(-2) ?? null, name: parts.at(-1) ?? '' };
      this.writes.push({ ...PLAIN_WRITE, relation, action: 'drop' });
    }
  }

  #rename(content: Tree): void {
    const relation = relationOf(treeAt(content, 'relation'));
    if (relation === null) return;
    const table = RELATION_KINDS.has(textAt(content, 'renameType') ?? '');
    const column = textAt(content, 'renameType') === 'OBJECT_COLUMN';
    if (!table && !column) return;
    this.writes.push({ ...PLAIN_WRITE, relation, action: table ? 'drop' : 'alter' });
    if (!table) return;
    const renamed = { schema: relation.schema, name: textAt(content, 'newname') ?? '' };
    this.writes.push({ ...PLAIN_WRITE, relation: renamed, action: 'create' });
    this.reads.push(relation);
  }

  #copy(content: Tree): void {
    const from = flagAt(content, 'is_from');
    if (from) this.#write(treeAt(content, 'relation'), 'copy');
    else this.#read(treeAt(content, 'relation'), null);
    this.#later(content['query'], null);
  }

  #call(content: Tree | null, procedure: boolean, scope: CteScope | null): void {
    if (content === null) return;
    this.searchPath = searchPathCall(content) ?? this.searchPath;
    this.calls.push(callOf(content, procedure));
    this.#later(content, scope);
  }

  #later(value: unknown, scope: CteScope | null): void {
    if (typeof value === 'object' && value !== null) this.#pending.push({ value, scope });
  }
}

function relationOf(range: Tree | null): RelationReference | null {
  const name = textAt(range, 'relname');
  return name === null ? null : { schema: textAt(range, 'schemaname'), name };
}

function isCte(relation: RelationReference, scope: CteScope | null): boolean {
  if (relation.schema !== null) return false;
  for (let at = scope; at !== null; at = at.outer) if (at.name === relation.name) return true;
  return false;
}
