/** Real git repositories behind the double. */
import { execFileSync } from 'node:child_process';

const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A person',
  GIT_AUTHOR_EMAIL: 'person@example.com',
  GIT_COMMITTER_NAME: 'A person',
  GIT_COMMITTER_EMAIL: 'person@example.com',
};

export interface Identity {
  readonly name: string;
  readonly email: string;
}

export class GitFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  run(arguments_: readonly string[], input: string | Buffer = '', who?: Identity): string {
    const identity =
      who === undefined
        ? {}
        : {
            GIT_AUTHOR_NAME: who.name,
            GIT_AUTHOR_EMAIL: who.email,
            GIT_COMMITTER_NAME: who.name,
            GIT_COMMITTER_EMAIL: who.email,
          };
    return execFileSync('git', ['-C', this.path, ...arguments_], {
      input,
      env: { ...ENVIRONMENT, ...identity },
      maxBuffer: 1 << 28,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
      .toString('utf8')
      .replace(/\n$/u, '');
  }

  /** Null where git refuses. */
  attempt(arguments_: readonly string[], input: string | Buffer = ''): string | null {
    try {
      return this.run(arguments_, input);
    } catch {
      return null;
    }
  }

  resolve(ref: string): string | null {
    for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}`, ref]) {
      const found = this.attempt(['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
      if (found !== null) return found;
    }
    return null;
  }

  blobOf(commit: string, path: string): string | null {
    return this.attempt(['rev-parse', '--verify', '--quiet', `${commit}:${path}`]);
  }

  blob(sha: string): Buffer {
    return execFileSync('git', ['-C', this.path, 'cat-file', 'blob', sha], {
      env: ENVIRONMENT,
      maxBuffer: 1 << 28,
    });
  }

  /** Commits files (null removes one) onto a branch, and gives the commit. */
  commit(
    branch: string,
    files: Readonly<Record<string, string | null>>,
    message: string,
    who?: Identity,
  ): string {
    const parent = this.resolve(branch);
    const index = { GIT_INDEX_FILE: `${this.path}/double-index` };
    const inIndex = (arguments_: readonly string[], input = ''): string =>
      execFileSync('git', ['-C', this.path, ...arguments_], {
        input,
        env: { ...ENVIRONMENT, ...index },
        stdio: ['pipe', 'pipe', 'pipe'],
      })
        .toString('utf8')
        .trim();
    inIndex(parent === null ? ['read-tree', '--empty'] : ['read-tree', parent]);
    const lines = Object.entries(files).map(([path, content]) =>
      content === null
        ? `0 ${'0'.repeat(40)}\t${path}\n`
        : `100644 ${this.run(['hash-object', '-w', '--stdin'], content)}\t${path}\n`,
    );
    inIndex(['update-index', '--index-info'], lines.join(''));
    const tree = inIndex(['write-tree']);
    const made = this.run(
      ['commit-tree', tree, ...(parent === null ? [] : ['-p', parent]), '-m', message],
      '',
      who,
    );
    this.run(['update-ref', `refs/heads/${branch}`, made]);
    return made;
  }
}

export function initBare(path: string): GitFolder {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path], {
    env: ENVIRONMENT,
    stdio: 'pipe',
  });
  return new GitFolder(path);
}
