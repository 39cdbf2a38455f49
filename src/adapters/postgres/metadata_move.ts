/** Creates the metadata tables of a move in PostgreSQL. */
import type pg from 'pg';
import { metadataStatements } from '../../core/movement/metadata.ts';
import { query } from './move_session.ts';
import { ident } from './sql.ts';

export async function createMoveMetadata(client: pg.Client, schema: string): Promise<void> {
  await query(client, 'SET client_min_messages = warning');
  // Two workers that create at once would trip over each other's catalog rows.
  await query(client, `SELECT pg_advisory_lock(hashtextextended('sprocket metadata', 0))`);
  try {
    for (const statement of metadataStatements(schema, { ident, text: 'TEXT', options: '' })) {
      await query(client, statement);
    }
  } finally {
    await query(client, `SELECT pg_advisory_unlock(hashtextextended('sprocket metadata', 0))`);
  }
}
