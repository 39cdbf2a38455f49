/** Creates the metadata tables in MySQL or MariaDB, where a schema is a database. */
import type { Connection } from 'mysql2';
import { metadataStatements } from '../../core/movement/metadata.ts';
import { query } from './move_session.ts';
import { ident } from './sql.ts';

export async function createMoveMetadata(connection: Connection, schema: string): Promise<void> {
  const dialect = {
    ident,
    text: 'LONGTEXT',
    options: ' ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  };
  for (const statement of metadataStatements(schema, dialect)) await query(connection, statement);
}
