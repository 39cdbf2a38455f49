/** Creates the metadata tables of a move in PostgreSQL. */
import type pg from 'pg';
import { MOVE_METADATA_LOCK, moveStatements } from './metadata-pipelines.ts';
import { query } from './move_session.ts';

export async function createMoveMetadata(client: pg.Client, schema: string): Promise<void> {
  await query(client, 'SET client_min_messages = warning');
  // Two workers that create at once would trip over each other's catalog rows.
  await query(client, `SELECT pg_advisory_lock(hashtextextended(?, 0))`, [MOVE_METADATA_LOCK]);
  try {
    for (const statement of moveStatements(schema)) await query(client, statement);
  } finally {
    await query(client, `SELECT pg_advisory_unlock(hashtextextended(?, 0))`, [MOVE_METADATA_LOCK]);
  }
}
