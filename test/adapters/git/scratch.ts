/** A git repository in a temporary folder, with a person who works in it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface ScratchRepository {
  readonly directory: string;
  git(...args: string[]): string;
  write(path: string, content: string): void;
  /** Commits everything in the work tree as a person. */
  commitAll(message: string): string;
  remove(): void;
}

export function scratchRepository(...initOptions: string[]): ScratchRepository {
  const directory = mkdtempSync(join(tmpdir(), 'sprocket-test-'));
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Ann',
        GIT_AUTHOR_EMAIL: 'ann@example.com',
        GIT_COMMITTER_NAME: 'Ann',
        GIT_COMMITTER_EMAIL: 'ann@example.com',
      },
    });
  git('init', '--quiet', '--initial-branch=main', ...initOptions);
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  };
  return {
    directory,
    git,
    write,
    commitAll: (message) => {
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', message);
      return git('rev-parse', 'HEAD').trim();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
