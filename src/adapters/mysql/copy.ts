/** Lines out of a SELECT, and into LOAD DATA, with every row counted. */
import { Readable } from 'node:stream';
import type { Connection } from 'mysql2';
import { z } from 'zod';
import type { RowStream } from '../../ports/move.ts';
import { answered, classified, drop, query } from './move_session.ts';

const PIECE_BYTES = 256 * 1024;
const WAITING_PIECES = 4;

/** Streams the only column of `sql` as it comes. */
export function copyOut(connection: Connection, sql: string): RowStream {
  let sent = 0;
  async function* pieces(): AsyncIterable<Buffer> {
    const waiting: Buffer[] = [];
    let lines: Buffer[] = [];
    let size = 0;
    const state: { done: boolean; error: Error | null; wake: () => void } = {
      done: false,
      error: null,
      wake: () => undefined,
    };
    const collect = () => {
      if (size > 0) waiting.push(Buffer.concat(lines, size));
      lines = [];
      size = 0;
      state.wake();
    };
    const stream = connection.query({
      sql,
      rowsAsArray: true,
      typeCast: (field) => field.buffer(),
    });
    stream.on('result', (row: unknown) => {
      const line: unknown = Array.isArray(row) ? row[0] : null;
      if (!Buffer.isBuffer(line)) return;
      sent += 1;
      lines.push(line);
      size += line.length;
      if (size >= PIECE_BYTES) {
        collect();
        if (waiting.length >= WAITING_PIECES) connection.pause();
      }
    });
    const failed = (error: Error) => {
      state.error ??= error;
      state.wake();
    };
    connection.on('error', failed);
    stream.on('error', failed);
    stream.on('end', () => {
      state.done = true;
      collect();
    });
    try {
      for (;;) {
        if (state.error !== null) throw classified(state.error);
        const piece = waiting.shift();
        if (piece !== undefined) {
          yield piece;
          if (waiting.length < WAITING_PIECES) connection.resume();
        } else if (state.done) return;
        else await new Promise<void>((resolve) => (state.wake = resolve));
      }
    } finally {
      connection.removeListener('error', failed);
    }
  }
  return { pieces: pieces(), sent: () => sent };
}

const loadedSchema = z.object({ affectedRows: z.number(), warningStatus: z.number() });

/**
 * LOAD DATA LOCAL; resolves to the rows that came in. It works like IGNORE: what it could not take as it
 * was, it changed or left out with a warning. So any warning is an error.
 */
export async function copyIn(
  connection: Connection,
  sql: string,
  pieces: AsyncIterable<Buffer>,
): Promise<number> {
  const source = Readable.from(pieces, { objectMode: false });
  const result = await answered<unknown>(connection, (resolve, reject) => {
    source.on('error', (error) => {
      // The statement would wait for the rest of the file, and then keep what it has.
      reject(error);
      drop(connection);
    });
    connection.query({ sql, infileStreamFactory: () => source }, (error, answer) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
  const { affectedRows, warningStatus } = loadedSchema.parse(result);
  if (warningStatus > 0) {
    const warnings = await query(connection, 'SHOW WARNINGS LIMIT 3');
    throw new Error(
      `LOAD DATA gave ${warningStatus} warnings: ${warnings.map((row) => row[2] ?? '').join('; ')}`,
    );
  }
  return affectedRows;
}
