/** Runs `git` in one repository, with nothing of the caller's own git environment. */
import { spawn } from 'node:child_process';
import { RepositoryError } from '../../ports/repository.ts';

export interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Exit statuses that are an answer and not a failure; 0 always is. */
  readonly accept?: readonly number[];
}

export interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Git {
  (args: readonly string[], options?: GitOptions): Promise<GitResult>;
}

/** `git` with `directory` as its current directory. */
export function gitIn(directory: string): Git {
  return (args, options = {}) => run(directory, args, options);
}

function run(directory: string, args: readonly string[], options: GitOptions): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      cwd: directory,
      env: { ...inheritedEnvironment(), ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (error) => reject(startError(error, directory)));
    // git may end before it has read everything; its exit status says why.
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => {
      const status = code ?? 128;
      const stderr = Buffer.concat(err).toString('utf8').trim();
      if (status === 0 || options.accept?.includes(status) === true) {
        resolve({ status, stdout: Buffer.concat(out), stderr });
      } else {
        reject(failure(args, status, stderr));
      }
    });
    child.stdin.end(options.input ?? '');
  });
}

/** Without GIT_DIR and its kin: a hook or an alias that starts us sets them for itself. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GIT_') || name.startsWith('GIT_CONFIG'),
  );
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
  };
}

function startError(error: Error, directory: string): RepositoryError {
  if ('code' in error && error.code === 'ENOENT') {
    return new RepositoryError(
      'git-missing',
      `git can't be started in ${directory}. Install git 2.30 or newer and put it on the PATH.`,
    );
  }
  return new RepositoryError('failed', `git can't be started: ${error.message}.`);
}

function failure(args: readonly string[], status: number, said: string): RepositoryError {
  if (said.includes('not a git repository')) {
    return new RepositoryError(
      'not-a-repository',
      'This folder is not in a git repository. Run "git init" where plan.md is, or change to it.',
    );
  }
  return new RepositoryError(
    'failed',
    `git ${args[0] ?? ''} ended with status ${status}: ${said === '' ? 'no message' : said}`,
  );
}
