/** Runs the command line in a process of its own, in a folder and an environment of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { ConnectionParameters } from '../../../src/ports/sandbox.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

interface Finished {
  readonly status: number | undefined;
  readonly out: string;
  readonly error: string;
}

export interface Folder {
  readonly path: string;
  /** `environment` comes on top of nothing but PATH and HOME. */
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Finished>;
  remove(): Promise<void>;
}

export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'sprocket-cli-'));
  return {
    path,
    async run(args, environment = {}) {
      const { PATH = '', HOME = '' } = process.env;
      const result = await execa(process.execPath, [MAIN, ...args], {
        cwd: path,
        env: { PATH, HOME, ...environment },
        extendEnv: false,
        reject: false,
      });
      return { status: result.exitCode, out: result.stdout, error: result.stderr };
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export function urlOf(parameters: ConnectionParameters): string {
  const { host, port, user, password, database } = parameters;
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return `postgresql://${account}@${host}:${port}/${encodeURIComponent(database)}`;
}
