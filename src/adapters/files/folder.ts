/** `.dkt` and `.ckt` files in a folder. */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { MoveError } from '../../core/movement/errors.ts';
import { changeFile, diskName } from '../../core/movement/names.ts';
import type { ChangeFiles, DataFiles, WorkFolder } from '../../ports/spool.ts';

const READ_PIECE = 256 * 1024;

function diskError(error: unknown, folder: string): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new MoveError(
    'disk-full',
    `No space is left for files in ${folder}. Free some, or make files smaller (--chunk-mb), and run again: nothing is lost.`,
  );
}

async function* piecesOf(file: string): AsyncIterable<Buffer> {
  for await (const piece of createReadStream(file, { highWaterMark: READ_PIECE })) {
    yield Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
  }
}

function dataFiles(folder: string): DataFiles {
  const at = (name: string) => path.join(folder, diskName(name));
  return {
    async write(name, pieces) {
      const partial = `${at(name)}.partial`;
      // No fsync: after a crash files are never trusted, their rows are read again.
      const handle = await open(partial, 'w');
      let bytes = 0;
      try {
        for await (const piece of pieces) {
          bytes += piece.length;
          await handle.write(piece);
        }
      } catch (error) {
        throw diskError(error, folder);
      } finally {
        await handle.close();
      }
      await rename(partial, at(name));
      return bytes;
    },
    read: (name) => piecesOf(at(name)),
    remove: (name) => rm(at(name), { force: true }),
  };
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
        await (await handleOf(file)).write(Buffer.from(text, 'latin1'));
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
    data: dataFiles(folder),
    changes,
    async clear() {
      await changes.close();
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    },
    close: () => changes.close(),
  };
}
