/** A workspace in a private temporary folder. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProjectFile } from '../../core/project/types.ts';
import type { Workspace } from '../../ports/workspace.ts';

/** Only its owner can read it: rendered rows and names are the customer's. */
export async function openWorkspace(): Promise<Workspace> {
  const root = await mkdtemp(path.join(tmpdir(), 'sprocket-project-'));
  return {
    async put(name, files) {
      const folder = path.join(root, name);
      await putFiles(folder, files);
      return folder;
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

/** Writes what differs only: dbt reads files again whose time has changed. */
async function putFiles(folder: string, files: readonly ProjectFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const wanted = new Map(files.map((file) => [path.join(folder, file.path), file.text]));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(file)) await rm(file);
  }
  for (const [file, text] of wanted) {
    if ((await readFile(file, 'utf8').catch(() => null)) === text) continue;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
