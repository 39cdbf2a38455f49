/** `.dkt` and `.ckt` files in a folder. */
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Bell } from '../../core/movement/bell.ts';
import { MoveError } from '../../core/movement/errors.ts';
import { changeFile, diskName } from '../../core/movement/names.ts';
import type { ChangeFiles, DataFile, WorkFolder } from '../../ports/spool.ts';

const READ_PIECE = 256 * 1024;

function diskError(error: unknown, folder: string): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new MoveError(
    'disk-full',
    `No space is left for files in ${folder}. Free some, or make files smaller (--chunk-mb), and run again: nothing is lost.`,
  );
}

/** The last pieces, unless large, are kept for who reads as fast as they come: the disk need not be asked for them. */
const KEPT_PIECES = 4;
const LARGEST_KEPT = 2 * READ_PIECE;

/** Writes `pieces` to `file`, and lets them be read meanwhile. */
function growingFile(file: string, pieces: AsyncIterable<Buffer>): DataFile {
  const growth = new Bell();
  const last: { readonly at: number; readonly piece: Buffer }[] = [];
  let bytes = 0;
  let state: 'growing' | 'whole' | 'failed' = 'growing';
  let failure: unknown = null;

  const write = async (): Promise<number> => {
    try {
      // No fsync: after a crash files are never trusted, their rows are read again.
      const handle = await open(file, 'w');
      try {
        for await (const piece of pieces) {
          if (piece.length === 0) continue;
          await handle.writeFile(piece);
          if (piece.length <= LARGEST_KEPT) last.push({ at: bytes, piece });
          if (last.length > KEPT_PIECES) last.shift();
          bytes += piece.length;
          growth.ring();
        }
      } finally {
        await handle.close();
      }
      state = 'whole';
      return bytes;
    } catch (error) {
      state = 'failed';
      failure = diskError(error, path.dirname(file));
      throw failure;
    } finally {
      growth.ring();
    }
  };
  async function* read(): AsyncIterable<Buffer> {
    let handle: FileHandle | null = null;
    let at = 0;
    try {
      for (;;) {
        const grown = growth.next();
        if (state === 'failed') throw failure;
        const kept = last.find((candidate) => candidate.at === at);
        if (kept !== undefined) {
          at += kept.piece.length;
          yield kept.piece;
        } else if (at < bytes) {
          handle ??= await open(file, 'r');
          const piece = Buffer.allocUnsafe(Math.min(READ_PIECE, bytes - at));
          const { bytesRead } = await handle.read(piece, 0, piece.length, at);
          if (bytesRead === 0) throw new Error(`${path.basename(file)} was cut while it was read.`);
          at += bytesRead;
          yield piece.subarray(0, bytesRead);
        } else if (state === 'whole') return;
        else await grown;
      }
    } finally {
      await handle?.close();
    }
  }
  const written = write();
  // Who waits for it hears of it; so does who reads.
  written.catch(() => undefined);
  return { written, failure: () => failure, read, remove: () => rm(file, { force: true }) };
}

function changeFiles(folder: string): ChangeFiles & { close(): Promise<void> } {
  const handles = new Map<number, Promise<FileHandle>>();
  const handleOf = (file: number): Promise<FileHandle> => {
    const known = handles.get(file);
    if (known !== undefined) return known;
    const opening = open(path.join(folder, changeFile(file)), 'a+');
    handles.set(file, opening);
    return opening;
  };
  const forget = async (file: number) => {
    const handle = handles.get(file);
    handles.delete(file);
    await (await handle)?.close();
  };
  return {
    async append(file, text) {
      try {
        // Not `write`, which may take less than all of it where the disk is nearly full.
        await (await handleOf(file)).appendFile(Buffer.from(text, 'latin1'));
      } catch (error) {
        throw diskError(error, folder);
      }
    },
    sync: async (file) => (await handleOf(file)).datasync(),
    truncate: async (file, bytes) => (await handleOf(file)).truncate(bytes),
    async read(file, from, to) {
      const buffer = Buffer.alloc(to - from);
      const handle = await handleOf(file);
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(
          buffer,
          filled,
          buffer.length - filled,
          from + filled,
        );
        if (bytesRead === 0) {
          throw new MoveError(
            'corrupt-file',
            `${changeFile(file)} ends before what was written to it. Run again: its changes are read anew.`,
          );
        }
        filled += bytesRead;
      }
      return buffer.toString('latin1');
    },
    async remove(file) {
      await forget(file);
      await rm(path.join(folder, changeFile(file)), { force: true });
    },
    async close() {
      for (const file of handles.keys()) await forget(file);
    },
  };
}

/** Opens (and makes) the folder of one plan. */
export async function openFolder(folder: string): Promise<WorkFolder> {
  await mkdir(folder, { recursive: true });
  const changes = changeFiles(folder);
  return {
    data: { write: (name, pieces) => growingFile(path.join(folder, diskName(name)), pieces) },
    changes,
    async clear() {
      await changes.close();
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    },
    close: () => changes.close(),
  };
}
