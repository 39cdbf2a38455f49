/** COPY in both directions, with every row counted. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { z } from 'zod';
import type { RowStream } from '../../ports/move.ts';
import { classified, query } from './move_session.ts';

const HIGH_WATER = 256 * 1024;

/** Wire text of a COPY … TO STDOUT. `sent` is the count that the server gives at the end. */
export function copyOut(
  client: pg.Client,
  sql: string,
  translate: ((chunk: Buffer) => Buffer) | null,
): RowStream {
  const stream = copyTo(sql, { highWaterMark: HIGH_WATER });
  async function* pieces(): AsyncIterable<Buffer> {
    client.query(stream);
    try {
      // Only the iterator reads: a second listener would swallow rows without a word.
      for await (const piece of stream) {
        const bytes = z.instanceof(Buffer).parse(piece);
        yield translate === null ? bytes : translate(bytes);
      }
      // The count comes after the last row; an answer to the next query means that it is here.
      await query(client, 'SELECT 1');
    } catch (error) {
      throw classified(error);
    }
  }
  // The typings leave out what the stream keeps from the command's tag.
  const sent = () => z.number().parse(Reflect.get(stream, 'rowCount'));
  return { pieces: pieces(), sent };
}

/** COPY … FROM STDIN; resolves to the rows that came in. */
export async function copyIn(
  client: pg.Client,
  sql: string,
  pieces: AsyncIterable<Buffer>,
): Promise<number> {
  const stream = client.query(copyFrom(sql));
  try {
    await pipeline(Readable.from(pieces, { objectMode: false, highWaterMark: HIGH_WATER }), stream);
  } catch (error) {
    throw classified(error);
  }
  return stream.rowCount;
}
