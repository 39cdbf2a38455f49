/** What every step of a proof needs. */
import type { Catalog } from '../core/catalog/types.ts';
import { quoteIdentifier } from '../core/proof/names.ts';
import type { Translation } from '../core/translate/types.ts';
import type { DbtRunner } from '../ports/dbt.ts';
import type { Sandbox, SqlSession } from '../ports/sandbox.ts';
import type { Workspace } from '../ports/workspace.ts';
import type { HandwrittenModels } from './prove-handwritten.ts';

export interface ProofTools {
  readonly sandbox: Sandbox;
  readonly dbt: DbtRunner;
  readonly workspace: Workspace;
  readonly signal: AbortSignal | null;
  readonly limits: ProofLimits;
}

export interface ProofLimits {
  /** Milliseconds for one call of a procedure. */
  readonly procedureMs: number;
  /** Milliseconds for one dbt invocation. */
  readonly dbtMs: number;
  readonly threads: number;
}

export const DEFAULT_LIMITS: ProofLimits = { procedureMs: 120_000, dbtMs: 600_000, threads: 2 };

/** SQL expressions for parameters by name, in the order in which the call takes them. */
export type ArgumentValues = Readonly<Record<string, string>>;

/** A batch as it is being proven: names of databases are those of the sandbox. */
export interface ProofContext extends ProofTools {
  readonly catalog: Catalog;
  /** By routine. */
  readonly translations: ReadonlyMap<string, Translation>;
  /** Models that people wrote, which stand in for those of the translation. */
  readonly handwritten: HandwrittenModels;
}

/** Arguments of every routine and the moment that the clock shows, in one round. */
export interface RoundSetting {
  readonly name: string;
  readonly clock: string;
  readonly values: ReadonlyMap<string, ArgumentValues>;
}

/** The proof was stopped from outside. */
export class ProofAborted extends Error {
  override readonly name = 'ProofAborted';

  constructor() {
    super('The proof was stopped.');
  }
}

export function throwIfAborted({ signal }: ProofTools): void {
  if (signal?.aborted === true) throw new ProofAborted();
}

/** Opens a session for as long as `use` takes. */
export async function withSession<T>(
  { sandbox }: Pick<ProofTools, 'sandbox'>,
  database: string,
  use: (session: SqlSession) => Promise<T>,
): Promise<T> {
  const session = await sandbox.connect(database);
  try {
    return await use(session);
  } finally {
    // A session whose connection is lost has nothing left to close.
    await session.close().catch(() => undefined);
  }
}

/**
 * A clone in which unqualified names mean what they mean in the catalog: what a database is set to
 * does not come along when it is cloned.
 */
export async function cloneState(
  context: Pick<ProofContext, 'sandbox' | 'catalog'>,
  from: string,
  to: string,
): Promise<void> {
  const { sandbox, catalog } = context;
  await sandbox.clone(from, to);
  const path = catalog.searchPath.map(quoteIdentifier).join(', ');
  if (path === '' || path === '"public"') return;
  const name = quoteIdentifier(sandbox.parameters(to).database);
  await withSession(context, to, (session) =>
    session.query(`ALTER DATABASE ${name} SET search_path = ${path}`),
  );
}
