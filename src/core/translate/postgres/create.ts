/** Binds CREATE TABLE with its columns. */
import type { BoundStatement, TableColumn } from '../bound.ts';
import { sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import type { CreateStmt, TableLikeClause } from 'libpg-query';
import { between, findClauses } from './clauses.ts';
import { common } from './write-context.ts';
import type { SourceText } from './source.ts';
import { names, relationName, typeText } from './tree.ts';
import type { WriteContext } from './write-context.ts';
import { refuse } from '../refusals.ts';

export function bindCreate(statement: CreateStmt, context: WriteContext): BoundStatement {
  const at = common(context);
  const { source, binder } = context;
  const relation = statement.relation ?? {};
  const name = relationName(relation);
  const columns: TableColumn[] = [];
  if (statement.inhRelations || statement.partbound || statement.partspec)
    refuse('ddl', at.place, 'A partition or a child table is made.');
  for (const element of statement.tableElts ?? []) {
    if ('TableLikeClause' in element && element.TableLikeClause.relation) {
      columns.push(...likeColumns(element.TableLikeClause, context));
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
        defaultSql = defaultText(source, source.index(constraint.Constraint.location));
      }
      columns.push({ name: colname, type, defaultSql });
    }
  }
  return {
    ...at,
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

/** The expression of a DEFAULT clause that starts at an index of the text. */
function defaultText(source: SourceText, start: number): Fragment {
  const at = source.tokenAt(start);
  const [end] = findClauses(source, at + 1, AFTER_DEFAULT);
  const stretch = between(source, at, end?.token ?? endOfList(source, at));
  return sql`(${source.slice(stretch.start, stretch.end)})`;
}

const AFTER_DEFAULT = [
  ',',
  'NOT NULL',
  'NULL',
  'PRIMARY',
  'UNIQUE',
  'CHECK',
  'REFERENCES',
  'CONSTRAINT',
];

/** Columns of `LIKE table`, with its defaults where they are included. */
function likeColumns(like: TableLikeClause, context: WriteContext): TableColumn[] {
  const { environment } = context;
  if (!like.relation) return [];
  const name = relationName(like.relation);
  const version = environment.relation(name);
  const withDefaults = ((like.options ?? 0) & INCLUDING_DEFAULTS) !== 0;
  const target = withDefaults
    ? environment.target(name, name.name, common(context).place).table
    : null;
  return (version?.columns ?? []).map((column) => {
    const value = target ? environment.defaultOf(target, column.name) : null;
    return { ...column, defaultSql: value === 'sequence' ? text('row_number() over ()') : value };
  });
}

export function onCommit(action: string | undefined): { readonly onCommit?: 'drop' | 'delete' } {
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
