/** Trees and blobs of one repository: what a commit holds, and a commit with some files changed. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RepositoryError } from '../../ports/repository.ts';
import type { Git } from './git.ts';

export interface TreeEntry {
  readonly mode: string;
  readonly object: string;
}

/** Files of a commit or tree by path; submodules and symbolic links are among them. */
export async function listTree(git: Git, commit: string): Promise<Map<string, TreeEntry>> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', commit]);
  const entries = new Map<string, TreeEntry>();
  for (const record of stdout.toString('utf8').split('\0')) {
    const match = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/su.exec(record);
    const [, mode, object, path] = match ?? [];
    if (mode !== undefined && object !== undefined && path !== undefined) {
      entries.set(path, { mode, object });
    }
  }
  return entries;
}

/** Contents of blobs, in the order asked for. */
export async function readBlobs(git: Git, objects: readonly string[]): Promise<string[]> {
  if (objects.length === 0) return [];
  const { stdout } = await git(['cat-file', '--batch'], { input: `${objects.join('\n')}\n` });
  const contents: string[] = [];
  let offset = 0;
  for (const object of objects) {
    const end = stdout.indexOf('\n', offset);
    const size = Number(stdout.subarray(offset, end).toString('utf8').split(' ')[2]);
    if (end < 0 || !Number.isInteger(size)) {
      throw new RepositoryError('failed', `git has no object ${object}. Run "git fsck".`);
    }
    contents.push(stdout.subarray(end + 1, end + 1 + size).toString('utf8'));
    offset = end + 1 + size + 1;
  }
  return contents;
}

/** The name that git gives to this content, in a repository whose object names are like `like`. */
export function blobName(content: string, like: string): string {
  const bytes = Buffer.from(content, 'utf8');
  return createHash(like.length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex');
}

export interface TreeChange {
  /** Content by path; null removes the file. */
  readonly files: ReadonlyMap<string, string | null>;
  /** Mode of files that keep the one they have. */
  readonly modes: ReadonlyMap<string, string>;
}

/** Writes the tree of `base` (null: the empty tree) with some files changed; gives its name. */
export async function writeTree(
  git: Git,
  base: string | null,
  change: TreeChange,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sprocket-git-'));
  try {
    const environment = { GIT_INDEX_FILE: join(folder, 'index') };
    const objects = await writeBlobs(git, folder, change.files);
    await git(base === null ? ['read-tree', '--empty'] : ['read-tree', base], { environment });
    const lines = [...change.files].map(([path, content]) => {
      if (content === null) return `0 ${'0'.repeat(40)}\t${path}\0`;
      return `${change.modes.get(path) ?? '100644'} ${objects.get(path) ?? ''}\t${path}\0`;
    });
    await git(['update-index', '-z', '--index-info'], { environment, input: lines.join('') });
    const { stdout } = await git(['write-tree'], { environment });
    return stdout.toString('utf8').trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One git process for all of them: a run may have thousands of files. */
async function writeBlobs(
  git: Git,
  folder: string,
  files: TreeChange['files'],
): Promise<Map<string, string>> {
  const written: string[] = [];
  for (const [path, content] of files) {
    if (content === null) continue;
    await writeFile(join(folder, `blob-${written.length}`), content);
    written.push(path);
  }
  if (written.length === 0) return new Map();
  const { stdout } = await git(['hash-object', '-w', '--no-filters', '--stdin-paths'], {
    input: written.map((_, index) => `${join(folder, `blob-${index}`)}\n`).join(''),
  });
  const objects = stdout.toString('utf8').trim().split('\n');
  return new Map(written.map((path, index) => [path, objects[index] ?? '']));
}
