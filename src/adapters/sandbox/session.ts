/** One connection to PostgreSQL, with every value as the text that the server prints. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { z } from 'zod';
import { SqlError } from '../../ports/sandbox.ts';
import type { ConnectionParameters, CopyData, SqlResult, SqlSession } from '../../ports/sandbox.ts';

const EMPTY: SqlResult = { columns: [], rows: [], rowCount: 0 };
export const TEXT_ONLY = { getTypeParser: () => (value: string) => value };
const CONNECTION_LOST = '08006';

const serverErrorSchema = z.object({
  message: z.string(),
  code: z.string().optional(),
  detail: z.string().nullable().default(null),
  where: z.string().nullable().default(null),
  position: z.coerce.number().nullable().default(null),
});

const resultSchema = z.object({
  fields: z.array(z.object({ name: z.string() })).default([]),
  rows: z.array(z.array(z.string().nullable())).default([]),
  rowCount: z.number().nullable(),
});

/** Opens a connection. `label` is what `pg_stat_activity` shows for it. Throws `SqlError`. */
export async function openSession(
  parameters: ConnectionParameters,
  label: string,
): Promise<SqlSession> {
  const client = new Client({
    ...parameters,
    application_name: label,
    types: TEXT_ONLY,
    connectionTimeoutMillis: 30_000,
  });
  // A lost connection also fails the query under way, and that error says more than this event.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw toSqlError(error);
  }
  return sessionOf(client);
}

export function sessionOf(client: Client): SqlSession {
  return {
    async query(sql, parameters) {
      try {
        const values = parameters === undefined ? {} : { values: [...parameters] };
        const result: unknown = await client.query({ text: sql, rowMode: 'array', ...values });
        return lastWithRows(Array.isArray(result) ? result : [result]);
      } catch (error) {
        throw toSqlError(error);
      }
    },
    async copyIn(sql, data) {
      const stream = client.query(copyFrom(sql));
      try {
        await pipeline(Readable.from(bytes(data), { objectMode: false }), stream);
      } catch (error) {
        throw toSqlError(error);
      }
      return stream.rowCount;
    },
    copyOut(sql) {
      return copyPieces(client, sql);
    },
    async close() {
      await client.end();
    },
  };
}

async function* copyPieces(client: Client, sql: string): AsyncIterable<Uint8Array> {
  const stream = client.query(copyTo(sql));
  try {
    for await (const piece of stream) yield z.instanceof(Uint8Array).parse(piece);
  } catch (error) {
    throw toSqlError(error);
  }
}

async function* bytes(data: CopyData): AsyncIterable<Uint8Array> {
  for await (const piece of data) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

function lastWithRows(results: readonly unknown[]): SqlResult {
  const parsed = results.map((result) => resultSchema.parse(result));
  const last = parsed.findLast((result) => result.fields.length > 0) ?? parsed.at(-1);
  if (last === undefined) return EMPTY;
  return {
    columns: last.fields.map((field) => field.name),
    rows: last.rows,
    rowCount: last.rowCount ?? 0,
  };
}

/** The server's own error where there is one; anything else means that the connection is gone. */
function toSqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const parsed = serverErrorSchema.safeParse(error);
  if (!parsed.success) return new SqlError({ message: String(error), code: CONNECTION_LOST });
  const { code, message, ...rest } = parsed.data;
  return new SqlError({ ...rest, message, code: isSqlState(code) ? code : CONNECTION_LOST });
}

function isSqlState(code: string | undefined): code is string {
  return code !== undefined && code.length === 5 && !code.startsWith('E');
}
