/** Opens the sandbox that a proof runs in: a server that is named, else an embedded one. */
import { randomBytes } from 'node:crypto';
import type { Sandbox } from '../../ports/sandbox.ts';
import { serverAccount } from './account.ts';
import { sweepAbandoned } from './cleanup.ts';
import { startCluster } from './cluster.ts';
import { openServerSandbox, parseServerUrl } from './server.ts';

/**
 * `url` names a PostgreSQL server whose user may create databases; null or empty starts an
 * embedded PostgreSQL 18. Close it in every case: `close` also works after a failure.
 * Throws `SandboxError`.
 */
export async function openSandbox(url: string | null): Promise<Sandbox> {
  const id = randomBytes(5).toString('hex');
  if (url !== null && url !== '') return openServerSandbox({ server: parseServerUrl(url), id });
  await sweepAbandoned();
  const cluster = await startCluster(await serverAccount());
  try {
    return await openServerSandbox({ server: cluster.connection, id, onClose: cluster.stop });
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
