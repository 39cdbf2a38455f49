/** Finds dbt on this machine. */
import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { DbtError } from '../../ports/dbt.ts';

export interface DbtLocation {
  /** The command `dbt`. */
  readonly command: string;
  /** The Python that the command runs in; null where it is no Python script. */
  readonly python: string | null;
}

export interface DbtSearch {
  readonly env: NodeJS.ProcessEnv;
  /** Folders whose `.venv` is looked into before PATH. */
  readonly roots: readonly string[];
}

/**
 * The dbt that `SPROCKET_DBT` names, else the one in a root's `.venv`, else the one on PATH.
 * Throws `DbtError` where there is none.
 */
export async function locateDbt({ env, roots }: DbtSearch): Promise<DbtLocation> {
  const named = env['SPROCKET_DBT'];
  if (named !== undefined && named !== '') {
    if (await isExecutable(named)) return withPython(named);
    throw new DbtError(
      'missing',
      `SPROCKET_DBT names ${named}, which is not a program that can be run`,
      'Set SPROCKET_DBT to the path of the dbt command, or unset it.',
    );
  }
  const folders = [
    ...roots.map((root) => join(root, '.venv', process.platform === 'win32' ? 'Scripts' : 'bin')),
    ...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
  ];
  for (const folder of folders) {
    const command = join(folder, process.platform === 'win32' ? 'dbt.exe' : 'dbt');
    if (await isExecutable(command)) return withPython(command);
  }
  throw new DbtError(
    'missing',
    'dbt was not found, neither in .venv nor on PATH',
    'Run `node scripts/setup.ts`, or install it: pip install "dbt-core~=1.11.0" dbt-postgres. SPROCKET_DBT may name the command.',
  );
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function withPython(command: string): Promise<DbtLocation> {
  const shebang = pythonOf(await firstBytes(command));
  if (shebang !== null && (await isExecutable(shebang))) return { command, python: shebang };
  const sibling = join(dirname(command), process.platform === 'win32' ? 'python.exe' : 'python');
  return { command, python: (await isExecutable(sibling)) ? sibling : null };
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** pip starts scripts with `#!/path/to/python`, or where that is too long with a shell's `exec`. */
function pythonOf(start: string): string | null {
  const direct = /^#!\s*(\S*python[\d.]*)\s*\n/u.exec(start);
  const wrapped = /^#!\/bin\/sh\n'''exec' "?([^"\n]*?python[\d.]*)"? "\$0"/u.exec(start);
  return direct?.[1] ?? wrapped?.[1] ?? null;
}
