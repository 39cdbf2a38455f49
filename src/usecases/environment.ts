/** Failures that tell of this machine or a server, and that no procedure can help. */
import { DbtError } from '../ports/dbt.ts';
import type { DbtErrorCode } from '../ports/dbt.ts';
import { SandboxError, SqlError } from '../ports/sandbox.ts';

/** What dbt says of a project, or of a model that never ends, is that procedure's affair. */
const DBT_ITSELF: ReadonlySet<DbtErrorCode> = new Set([
  'missing',
  'too-old',
  'no-adapter',
  'connection',
  'closed',
]);

export function isEnvironment(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof DbtError) return DBT_ITSELF.has(error.code);
  if (error instanceof SqlError) return error.isOfServer;
  return 'advice' in error || 'syscall' in error;
}

/** The same, with what to do where it says only what happened. */
export function withAdvice(error: unknown): unknown {
  if (!(error instanceof SqlError) || !error.isOfServer) return error;
  return new SandboxError(
    'lost',
    `The sandbox's server gave up in the middle of a proof: ${error.message}`,
    'Look at its disk, its memory and its log, then run again: it goes on where it was.',
  );
}
