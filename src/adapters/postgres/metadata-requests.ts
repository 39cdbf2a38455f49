/** What people asked of a run through GitHub, and was done. */
import { z } from 'zod';
import { ACTIONS } from '../../core/lifecycle/action.ts';
import type { DoneRequest } from '../../core/lifecycle/requests.ts';
import type { Query } from './lock.ts';
import { isoTime, quoteIdentifier } from './metadata-sql.ts';

const requestSchema = z.tuple([z.string(), z.string(), z.enum(ACTIONS).nullable()]);

export async function readRequests(
  session: Query,
  schema: string,
  plan: string,
): Promise<readonly DoneRequest[]> {
  const { rows } = await session.query(
    `SELECT request, ${isoTime('asked_at')}, action
     FROM ${quoteIdentifier(schema)}.sprocket_request WHERE plan = $1 ORDER BY asked_at, request`,
    [plan],
  );
  return rows.map((row) => {
    const [id, askedAt, action] = requestSchema.parse(row);
    return { id, askedAt, action };
  });
}

export async function writeRequest(
  session: Query,
  schema: string,
  plan: string,
  { id, askedAt, action }: DoneRequest,
): Promise<void> {
  await session.query(
    `INSERT INTO ${quoteIdentifier(schema)}.sprocket_request (plan, request, asked_at, action)
     VALUES ($1, $2, $3::timestamp, $4) ON CONFLICT DO NOTHING`,
    [plan, id, askedAt, action],
  );
}
