/** A connection to a repository of the double, as a job has it. */
import { mintWithKey } from '../../src/adapters/github/app-key.ts';
import type { Connection } from '../../src/adapters/github/call.ts';
import { connectAsApp } from '../../src/adapters/github/client.ts';
import { MIGRATION_PERMISSIONS } from '../../src/adapters/github/permissions.ts';
import { PRIVATE_KEY } from './auth.ts';
import type { GitHubDouble } from './double.ts';
import { APP } from './state.ts';
import type { RepositoryState } from './state.ts';

export function connectTo(double: GitHubDouble, repository: RepositoryState): Promise<Connection> {
  const transport = {
    baseUrl: double.url,
    throttle: false,
    second: 5,
    timeout: 10_000,
    onWarning: () => undefined,
  };
  return connectAsApp(
    mintWithKey({ appId: String(APP.id), privateKey: PRIVATE_KEY }, transport),
    { owner: repository.owner, repo: repository.name },
    MIGRATION_PERMISSIONS,
    transport,
  );
}
