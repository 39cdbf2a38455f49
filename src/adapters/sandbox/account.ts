/** The operating system account that the embedded server runs under: PostgreSQL refuses root. */
import { execa } from 'execa';
import { SandboxError } from '../../ports/sandbox.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Null where the process's own account will do. For root: `postgres` where it exists, else
 * `nobody`, else a system account that is made for it.
 */
export async function serverAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const existing = (await accountNamed('postgres')) ?? (await accountNamed('nobody'));
  if (existing !== null) return existing;
  await execa('useradd', ['--system', '--no-create-home', 'postgres'], { reject: false });
  const made = await accountNamed('postgres');
  if (made !== null) return made;
  throw new SandboxError(
    'no-account',
    'PostgreSQL does not run as root, and no other account could be found or made for it.',
    'Add one (useradd --system postgres), or run as an ordinary user.',
  );
}

async function accountNamed(name: string): Promise<Account | null> {
  const [uid, gid] = await Promise.all([numericId('-u', name), numericId('-g', name)]);
  return uid === null || gid === null ? null : { uid, gid };
}

async function numericId(flag: '-u' | '-g', name: string): Promise<number | null> {
  const { exitCode, stdout } = await execa('id', [flag, name], { reject: false });
  return exitCode === 0 ? Number(stdout) : null;
}
