/** Shows a branch as files, in a work tree of its own beside the user's. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { gitIn } from './git.ts';

/**
 * Makes `folder` hold what the branch holds now; `repository` is any folder of the repository. The
 * work tree is detached, so that the branch can go on being written.
 *
 * @throws {RepositoryError} where git refuses, e.g. because the folder holds something else
 */
export async function checkOutBranch(
  repository: string,
  branch: string,
  folder: string,
): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const isThere = await access(join(folder, '.git')).then(
    () => true,
    () => false,
  );
  if (isThere) {
    await gitIn(folder)(['checkout', '--quiet', '--detach', ref]);
    return;
  }
  const git = gitIn(repository);
  // Forgets work trees whose folders somebody has removed.
  await git(['worktree', 'prune']);
  await git(['worktree', 'add', '--quiet', '--detach', folder, ref]);
}
