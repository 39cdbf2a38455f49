/** Lines out of a SELECT, and into LOAD DATA, with every row counted. */
import { Readable } from 'node:stream';
import type { Connection, Query } from 'mysql2';
import { z } from 'zod';
import { MoveError } from '../../core/movement/errors.ts';
import type { RowStream } from '../../ports/move.ts';
import { LineWriter, PIECE_BYTES } from './lines.ts';
import type { LineColumn } from './lines.ts';
import { answered, classified, drop, query, whenDropped } from './move_session.ts';

const WAITING_BYTES = 4 * PIECE_BYTES;

/** What the driver reads a row from; its typings leave it out. */
interface RowPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** First byte of the packet that ends the rows. A row begins so only where its first value has 16 MB or more. */
const END_MARK = 0xfe;
const LONGEST_END = 8;

function isRow(packet: unknown): packet is RowPacket {
  return (
    typeof packet === 'object' &&
    packet !== null &&
    'buffer' in packet &&
    packet.buffer instanceof Buffer &&
    'offset' in packet &&
    typeof packet.offset === 'number' &&
    'end' in packet &&
    typeof packet.end === 'number' &&
    (packet.buffer[packet.offset] !== END_MARK || packet.end - packet.offset > LONGEST_END)
  );
}

/** Puts `take` in the place of what the driver does with a row: a value for every field, and an event. */
function takeRows(command: Query, take: (row: RowPacket) => void): void {
  const usual: unknown = Reflect.get(command, 'row');
  if (typeof usual !== 'function') throw unknownDriver();
  Reflect.set(command, 'row', function row(packet: unknown, connection: unknown): unknown {
    if (!isRow(packet)) return Reflect.apply(usual, command, [packet, connection]);
    take(packet);
    return row;
  });
}

const unknownDriver = () =>
  new Error(
    'This version of the driver mysql2 reads rows in another way than the one that was tested.',
  );

const isNull = ({ name }: LineColumn) =>
  new MoveError(
    'unrepresentable-value',
    `${name} is NULL in a row of the source, and could not be when the move began. ` +
      `Reset the pipelines and load again, or make the column NOT NULL again.`,
  );

/** Streams `columns` of the rows of `from` (a FROM clause, and what follows it) as lines. */
export function copyOut(
  connection: Connection,
  columns: readonly LineColumn[],
  from: string,
): RowStream {
  let sent = 0;
  async function* pieces(): AsyncIterable<Buffer> {
    const waiting: Buffer[] = [];
    let bytes = 0;
    const writer = new LineWriter(columns);
    const state: { done: boolean; error: Error | null; wake: () => void } = {
      done: false,
      error: null,
      wake: () => undefined,
    };
    const collect = () => {
      const piece = writer.take();
      if (piece !== null) {
        waiting.push(piece);
        bytes += piece.length;
      }
      state.wake();
    };
    const failed = (error: Error) => {
      state.error ??= error;
      state.wake();
    };
    const sql = `SELECT ${columns.map((column) => column.sql).join(', ')} ${from}`;
    const stream = connection.query(sql);
    takeRows(stream, ({ buffer, offset, end }) => {
      if (state.error !== null) return;
      const missing = writer.add(buffer, offset, end);
      if (missing !== null) return failed(isNull(missing));
      sent += 1;
      if (!writer.isFull) return;
      collect();
      if (bytes >= WAITING_BYTES) connection.pause();
    });
    stream.on('result', () => failed(unknownDriver()));
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
          bytes -= piece.length;
          yield piece;
          if (bytes < WAITING_BYTES) connection.resume();
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
