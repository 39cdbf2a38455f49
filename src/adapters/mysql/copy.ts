/** Lines out of a SELECT, and into LOAD DATA, with every row counted. */
import { Readable } from 'node:stream';
import type { Connection } from 'mysql2';
import { z } from 'zod';
import type { RowStream } from '../../ports/move.ts';
import { answered, classified, drop, query, whenDropped } from './move_session.ts';

const PIECE_BYTES = 256 * 1024;
const WAITING_PIECES = 4;

/** Streams the lines that `assemble` makes of the rows of `sql`; null for a row whose values did not come. */
export function copyOut(
  connection: Connection,
  sql: string,
  assemble: (row: readonly unknown[]) => readonly Buffer[] | null,
): RowStream {
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
    // Without a cast a value is the bytes that came.
    const stream = connection.query({ sql, rowsAsArray: true, typeCast: false });
    stream.on('result', (row: unknown) => {
      const line = Array.isArray(row) ? assemble(row) : null;
      if (line === null) {
        state.error ??= new Error(
          'The server left out a value, as it does with text that is larger than its max_allowed_packet. Raise that, up to 1 GB.',
        );
        return;
      }
      sent += 1;
      for (const part of line) {
        lines.push(part);
        size += part.length;
      }
      if (size >= PIECE_BYTES) {
        collect();
        if (waiting.length >= WAITING_PIECES) connection.pause();
      }
    });
    const failed = (error: Error) => {
      state.error ??= error;
      state.wake();
    };
    const settle = whenDropped(connection, failed);
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
      settle();
      connection.removeListener('error', failed);
    }
  }
  return { pieces: pieces(), sent: () => sent };
}

/** The driver sends each piece as one packet, and the server ends a session that sends more than it allows. */
async function* packets(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += PIECE_BYTES)
      yield piece.subarray(at, at + PIECE_BYTES);
  }
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
  const source = Readable.from(packets(pieces), { objectMode: false });
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
