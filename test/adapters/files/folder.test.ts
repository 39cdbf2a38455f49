/** Files that are read while they are written, on the real disk. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import type { WorkFolder } from '../../../src/ports/spool.ts';

let place: string;
let folder: WorkFolder;
beforeEach(async () => {
  place = await mkdtemp(path.join(tmpdir(), 'sprocket-folder-'));
  folder = await openFolder(place);
});
afterEach(async () => {
  await folder.close();
  await rm(place, { recursive: true });
});

async function read(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts);
}

/** Pieces of many sizes, the last ones larger than what is read at once. */
const PIECES = Array.from({ length: 20 }, (_, index) => Buffer.alloc(3 ** (index % 13), index + 1));

async function* slowly(pieces: readonly Buffer[], milliseconds = 2): AsyncIterable<Buffer> {
  for (const piece of pieces) {
    await delay(milliseconds);
    yield piece;
  }
}

it('gives what is written while it is written, and to a late reader too', async () => {
  const file = folder.data.write('s.t.1.dkt', slowly(PIECES));
  const whole = Buffer.concat(PIECES);
  expect((await read(file.read())).equals(whole)).toBe(true);
  expect(await file.written).toBe(whole.length);
  expect((await read(file.read())).equals(whole)).toBe(true);
  await file.remove();
  expect(existsSync(path.join(place, 's.t.1.dkt'))).toBe(false);
});

it('gives the same to readers of any speed, wherever the pieces end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.nat(5).map((size) => 7 ** size - 1),
        { maxLength: 20 },
      ),
      fc.array(fc.nat(3), { minLength: 1 }),
      async (sizes, pauses) => {
        const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1));
        const file = folder.data.write('s.t.1.dkt', slowly(pieces, 0));
        const parts: Buffer[] = [];
        for await (const piece of file.read()) {
          parts.push(piece);
          await delay(pauses[parts.length % pauses.length]);
        }
        expect(Buffer.concat(parts).equals(Buffer.concat(pieces))).toBe(true);
        await file.written;
      },
    ),
    { numRuns: 50 },
  );
});

it('gives what came before a failure, and then the failure', async () => {
  async function* failing(): AsyncIterable<Buffer> {
    yield* slowly(PIECES);
    throw new Error('the source is gone');
  }
  const file = folder.data.write('s.t.1.dkt', failing());
  const parts: Buffer[] = [];
  const reading = (async () => {
    for await (const piece of file.read()) parts.push(piece);
  })();
  await expect(reading).rejects.toThrow('the source is gone');
  await expect(file.written).rejects.toThrow('the source is gone');
  expect(file.failure()).toMatchObject({ message: 'the source is gone' });
  expect(
    Buffer.concat(PIECES).subarray(0, Buffer.concat(parts).length).equals(Buffer.concat(parts)),
  ).toBe(true);
});

it('lets a reader leave early, and holds an empty file', async () => {
  const file = folder.data.write('s.t.1.dkt', slowly(PIECES));
  for await (const piece of file.read()) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  await file.written;
  const empty = folder.data.write('s.t.2.dkt', slowly([]));
  expect((await read(empty.read())).length).toBe(0);
});
