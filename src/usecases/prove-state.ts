/** Changes to the state that both sides of a round start from. */
import type { QualifiedName } from '../core/catalog/types.ts';
import { quoteName } from '../core/proof/names.ts';
import { splitScript } from '../core/proof/script.ts';
import { statementRole } from '../core/proof/statement.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';

/** SQL that changes the inputs before a round. */
export interface InputChange {
  readonly name: string;
  readonly sql: string;
}

/** Runs a file of changes statement by statement; gives what failed. */
export async function applyChange(
  session: SqlSession,
  change: InputChange,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const piece of splitScript(change.sql)) {
    const ignored = piece.kind === 'command' || isIgnored(piece.text);
    if (ignored) continue;
    const running =
      piece.kind === 'copy' ? session.copyIn(piece.text, [piece.data]) : session.query(piece.text);
    await running.catch((error: unknown) => {
      if (!(error instanceof SqlError)) throw error;
      problems.push(`${change.name}:${piece.line}: ${error.message}`);
    });
  }
  return problems;
}

function isIgnored(statement: string): boolean {
  return statementRole(statement).kind === 'ignored';
}

/**
 * Empties tables as far as foreign keys of others allow, in whatever order that takes. Gives those
 * that had rows and have none now.
 */
export async function emptyTables(
  session: SqlSession,
  tables: readonly QualifiedName[],
): Promise<readonly QualifiedName[]> {
  const emptied: QualifiedName[] = [];
  let left = [...tables];
  for (let before = -1; before !== left.length;) {
    before = left.length;
    const blocked: QualifiedName[] = [];
    for (const table of left) {
      try {
        const { rowCount } = await session.query(`DELETE FROM ${quoteName(table)}`);
        if (rowCount > 0) emptied.push(table);
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        blocked.push(table);
      }
    }
    left = blocked;
  }
  return emptied;
}
