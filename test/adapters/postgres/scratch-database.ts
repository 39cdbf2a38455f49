/** An empty database that goes away with its test: on DATABASE_URL's server, else an embedded one. */
import { connect } from '../../../src/adapters/postgres/connection.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import type { SqlSession } from '../../../src/ports/sandbox.ts';

export interface ScratchServer {
  /** Creates an empty database and gives its URL. */
  create(name: string): Promise<string>;
  close(): Promise<void>;
}

export async function openScratchServer(): Promise<ScratchServer> {
  const sandbox = await openSandbox(process.env.DATABASE_URL ?? null);
  return {
    create: async (name) => {
      await sandbox.create(name);
      const { host, port, user, password, database } = sandbox.parameters(name);
      const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
      return `postgresql://${login}@${host}:${port}/${encodeURIComponent(database)}`;
    },
    close: () => sandbox.close(),
  };
}

export function connectTo(url: string): Promise<SqlSession> {
  return connect({ setting: 'TEST_DATABASE_URL', url });
}
