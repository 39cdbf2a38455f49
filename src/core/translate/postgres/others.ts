/** Binds statements that neither read nor write rows one by one: tables, calls, settings. */
import type { CallStmt, DropStmt, Node, TruncateStmt, VariableSetStmt } from 'libpg-query';
import type { BoundStatement } from '../bound.ts';
import { refuse } from '../refusals.ts';
import { bindAlter } from './alter.ts';
import { bindArguments } from './call-arguments.ts';
import { bindCreateAs } from './create-as.ts';
import { bindCreate } from './create.ts';
import { isMeaningful } from './settings.ts';
import { functionPath, names, relationName } from './tree.ts';
import { common } from './write-context.ts';
import type { WriteContext } from './write-context.ts';

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

/** Binds any statement that is neither a query nor a write of rows; refuses what changes more. */
export function bindOther(node: Node, context: WriteContext): BoundStatement {
  if ('TruncateStmt' in node) return bindTruncate(node.TruncateStmt, context);
  if ('CreateTableAsStmt' in node) return bindCreateAs(node.CreateTableAsStmt, context);
  if ('CreateStmt' in node) return bindCreate(node.CreateStmt, context);
  if ('DropStmt' in node) return bindDrop(node.DropStmt, context);
  if ('CallStmt' in node) return bindCall(node.CallStmt, context);
  if ('VariableSetStmt' in node) return bindSetting(node.VariableSetStmt, context);
  if ('AlterTableStmt' in node) return bindAlter(node.AlterTableStmt, context);
  const at = common(context);
  if ('CopyStmt' in node) refuse('copy', at.place, 'COPY moves rows between a table and a file.');
  const [kind = ''] = Object.keys(node);
  const message = IGNORED[kind];
  if (message !== undefined) return { ...at, kind: 'ignored', message };
  refuse('ddl', at.place, "The statement changes the database's definition.");
}

function bindTruncate(statement: TruncateStmt, context: WriteContext): BoundStatement {
  const at = common(context);
  const tables = (statement.relations ?? []).flatMap((relation) => {
    if (!('RangeVar' in relation)) return [];
    const alias = relation.RangeVar.relname ?? '';
    return [context.environment.target(relationName(relation.RangeVar), alias, at.place).table];
  });
  return {
    ...at,
    kind: 'truncate',
    tables,
    restartIdentity: statement.restart_seqs === true,
    cascade: statement.behavior === 'DROP_CASCADE',
  };
}

function bindDrop(statement: DropStmt, context: WriteContext): BoundStatement {
  const at = common(context);
  if (statement.removeType === 'OBJECT_INDEX') {
    const message = "DROP INDEX is left out: state indexes in the model's config.";
    return { ...at, kind: 'ignored', message };
  }
  if (statement.removeType !== 'OBJECT_TABLE')
    refuse('ddl', at.place, 'A database object is dropped.');
  const paths = (statement.objects ?? []).map((object) =>
    names('List' in object ? object.List.items : []),
  );
  return {
    ...at,
    kind: 'drop',
    tables: paths.map((path) => ({
      schema: path.length > 1 ? (path[0] ?? null) : null,
      name: path.at(-1) ?? '',
    })),
  };
}

function bindCall(statement: CallStmt, context: WriteContext): BoundStatement {
  const call = statement.funccall ?? {};
  return {
    ...common(context),
    kind: 'call',
    path: functionPath(call),
    arguments: bindArguments(call.args ?? [], context, context.source.index(call.location)),
  };
}

function bindSetting(statement: VariableSetStmt, context: WriteContext): BoundStatement {
  const at = common(context);
  const { name = '' } = statement;
  if (isMeaningful(name))
    refuse('session-setting', at.place, `SET ${name} changes what later statements mean.`);
  const message = `SET ${name} is left out: it changes the session, not the rows.`;
  return { ...at, kind: 'ignored', message };
}
