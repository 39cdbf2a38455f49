/** The PostgreSQL of the demo: an embedded one whose data stays, so that a second demo goes on. */
import { randomBytes, createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { serverAccount } from '../src/adapters/sandbox/account.ts';
import type { Account } from '../src/adapters/sandbox/account.ts';
import { binaryFolder } from '../src/adapters/sandbox/platform.ts';

export interface DemoServer {
  /** Connection URL of a database of the server. */
  url(database: string): string;
  stop(): Promise<void>;
}

/** It holds nothing that could not be made again. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '60',
  timezone: 'UTC',
  lc_messages: 'C',
} as const;

/** Starts the server whose data is in `wanted`, makes it where there is none yet. */
export async function openDemoServer(wanted: string): Promise<DemoServer> {
  const account = await serverAccount();
  const folder = await reachableFolder(wanted, account);
  const programs = await reachablePrograms(folder, account);
  const run = (program: string, args: readonly string[]) =>
    execa(join(programs, program), args, {
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      extendEnv: false,
      cwd: '/',
      // A server inherits these and keeps them open: reading them to their end would take for ever.
      stdio: program === 'pg_ctl' ? 'ignore' : 'pipe',
      ...account,
    });
  const data = join(folder, 'data');
  const password = await initialise(folder, data, account, run);
  const running = await run('pg_ctl', ['status', '-D', data]).catch(() => null);
  if (running === null) {
    const port = await freePort();
    const log = join(folder, 'server.log');
    await run('pg_ctl', ['start', '--wait', '-D', data, '--log', log, '-o', `-p ${port}`]).catch(
      () => {
        throw new Error(`The demo's PostgreSQL did not start. Its log is ${log}.`);
      },
    );
  }
  const port = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[3] ?? '';
  return {
    url: (database) => `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`,
    stop: async () => {
      await run('pg_ctl', ['stop', '--wait', '--mode', 'fast', '-D', data]);
    },
  };
}

type Run = (program: string, args: readonly string[]) => PromiseLike<unknown>;

/** Gives the password of the server's user. */
async function initialise(
  folder: string,
  data: string,
  account: Account | null,
  run: Run,
): Promise<string> {
  const passwordFile = join(folder, 'password');
  const known = await readFile(passwordFile, 'utf8').catch(() => null);
  // Written last: where it is there, everything is.
  if (known !== null) return known;
  await rm(data, { recursive: true, force: true });
  const password = randomBytes(18).toString('base64url');
  const draft = `${passwordFile}.draft`;
  await writeFile(draft, password, { mode: 0o600 });
  if (account !== null) await chown(draft, account.uid, account.gid);
  await run('initdb', [
    `--pgdata=${data}`,
    '--username=postgres',
    `--pwfile=${draft}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
    ...Object.entries(SETTINGS).map(([name, value]) => `--set=${name}=${value}`),
  ]);
  await rm(draft);
  await writeFile(passwordFile, password, { mode: 0o600 });
  return password;
}

/** PostgreSQL does not run as root, and its account may not get into root's folders. */
async function reachableFolder(wanted: string, account: Account | null): Promise<string> {
  await mkdir(wanted, { recursive: true });
  if (account === null) return wanted;
  await chown(wanted, account.uid, account.gid);
  if (await canEnter(wanted, account)) return wanted;
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const elsewhere = join(tmpdir(), `sprocket-demo-${name}`);
  await mkdir(elsewhere, { recursive: true });
  await chown(elsewhere, account.uid, account.gid);
  return elsewhere;
}

async function canEnter(folder: string, account: Account): Promise<boolean> {
  const options = { reject: false, cwd: '/', ...account };
  return (await execa('/bin/sh', ['-c', 'test -w "$1"', 'sh', folder], options)).exitCode === 0;
}

/** The installed programs, or a copy of them where the account can't reach those. */
async function reachablePrograms(folder: string, account: Account | null): Promise<string> {
  const installed = await binaryFolder();
  const runs = async (native: string): Promise<boolean> => {
    const program = join(native, 'bin', 'postgres');
    const options = { reject: false, cwd: '/', ...account };
    return (await execa(program, ['--version'], options)).exitCode === 0;
  };
  if (await runs(installed)) return join(installed, 'bin');
  const copy = join(folder, 'native');
  if (!(await runs(copy))) {
    await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
    for (const name of ['initdb', 'pg_ctl', 'postgres']) {
      await chmod(join(copy, 'bin', name), 0o755);
    }
  }
  return join(copy, 'bin');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}
