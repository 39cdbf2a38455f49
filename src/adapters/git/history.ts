/** Who changed which file last on a branch: Sprocket, or a person. */
import type { Git } from './git.ts';

/** Committer of everything that Sprocket writes: how its commits are told from people's. */
export const COMMITTER = { name: 'Sprocket', email: 'noreply@sprocket.invalid' };

/**
 * For every path that was changed on the branch since `start`: whose commit was the last. A merge
 * counts as its committer's change.
 */
export async function lastTouched(
  git: Git,
  tip: string,
  start: string | null,
): Promise<ReadonlyMap<string, 'sprocket' | 'person'>> {
  const { stdout } = await git([
    'log',
    '--first-parent',
    '-m',
    '--root',
    '--no-renames',
    '--name-only',
    '-z',
    '--format=%x01%ce%x01',
    tip,
    ...(start === null ? [] : [`^${start}`]),
  ]);
  const touched = new Map<string, 'sprocket' | 'person'>();
  const parts = stdout.toString('utf8').split('\x01');
  for (let index = 1; index + 1 < parts.length; index += 2) {
    const by = parts[index] === COMMITTER.email ? 'sprocket' : 'person';
    for (const name of (parts[index + 1] ?? '').split('\0')) {
      const path = name.replace(/^\n/u, '');
      if (path !== '' && !touched.has(path)) touched.set(path, by);
    }
  }
  return touched;
}
