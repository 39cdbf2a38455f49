/** PostgreSQL behind the port through which databases are read. */
import type { CatalogReader, DatabaseAddress } from '../../ports/catalog.ts';
import { readCatalog } from './catalog.ts';
import { connect } from './connection.ts';
import { missingRights } from './privileges.ts';

const STATEMENT_TIMEOUT_MS = 120_000;

/** Opens a connection that only reads. Throws `ConnectionError`. */
export async function openCatalog(address: DatabaseAddress): Promise<CatalogReader> {
  const session = await connect(address, {
    readOnly: true,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  return {
    readCatalog: (scope) => readCatalog(session, scope),
    missingRights: (required) => missingRights(session, required),
    close: () => session.close(),
  };
}
