/** Binds ALTER TABLE, as far as it leaves every row as it was. */
import type { BoundStatement } from '../bound.ts';
import type { AlterTableStmt } from 'libpg-query';
import { common } from './write-context.ts';
import { relationName } from './tree.ts';
import type { WriteContext } from './write-context.ts';
import { refuse } from '../refusals.ts';

/** ALTER TABLE that changes no row: constraints, owners, and columns that are there already. */
export function bindAlter(statement: AlterTableStmt, context: WriteContext): BoundStatement {
  const at = common(context);
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
  if (changes) refuse('ddl', at.place, 'The statement changes the columns of a table.');
  return {
    ...at,
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
