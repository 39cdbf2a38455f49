/** One embedded PostgreSQL cluster: made, started and removed with the process that asked for it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { SandboxError } from '../../ports/sandbox.ts';
import type { ConnectionParameters } from '../../ports/sandbox.ts';
import type { Account } from './account.ts';
import {
  CLUSTER_PREFIX,
  DATA_FOLDER,
  letProcessEnd,
  OWNER_FILE,
  ownerRecord,
  removeCluster,
  startWatchdog,
} from './cleanup.ts';
import { binaryFolder } from './platform.ts';

const START_ATTEMPTS = 5;
const START_TIMEOUT_MS = 60_000;

/** The data lives as long as one proof: speed counts, durability doesn't. */
const SERVER_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  checkpoint_timeout: '1h',
  max_wal_size: '4GB',
  // A worker inside a template database would hold up its cloning.
  autovacuum: 'off',
  jit: 'off',
  // A proof connects hundreds of times. The password is random: hashing it over and over adds nothing.
  scram_iterations: '1',
  max_parallel_workers_per_gather: '0',
  max_connections: '60',
  shared_buffers: '128MB',
  work_mem: '64MB',
  maintenance_work_mem: '64MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_min_messages: 'log',
  log_checkpoints: 'off',
} as const;

export interface Cluster {
  readonly connection: ConnectionParameters;
  /** Ends the server at once and removes its files. */
  stop(): Promise<void>;
}

/** Makes and starts a cluster on a free port of the loopback. Throws `SandboxError`. */
export async function startCluster(account: Account | null): Promise<Cluster> {
  const folder = await mkdtemp(path.join(tmpdir(), CLUSTER_PREFIX));
  const watchdog = startWatchdog(folder);
  try {
    await writeFile(path.join(folder, OWNER_FILE), await ownerRecord());
    if (account !== null) await chown(folder, account.uid, account.gid);
    const binaries = await usableBinaries(folder, account);
    const password = randomBytes(18).toString('base64url');
    await initialise(folder, binaries, account, password);
    const { port, server } = await startOnFreePort(folder, binaries, account);
    return {
      connection: { host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' },
      async stop() {
        await stopServer(server);
        await removeCluster(folder);
        watchdog.dismiss();
      },
    };
  } catch (error) {
    await removeCluster(folder);
    watchdog.dismiss();
    throw error;
  }
}

/** The binaries where they are installed, or a copy where the account can't reach that folder. */
async function usableBinaries(folder: string, account: Account | null): Promise<string> {
  const installed = await binaryFolder();
  const runs = async (native: string) => {
    const result = await execa(path.join(native, 'bin', 'postgres'), ['--version'], {
      reject: false,
      ...account,
    });
    return result.exitCode === 0;
  };
  if (await runs(installed)) return installed;
  const copy = path.join(folder, 'native');
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  for (const name of ['initdb', 'pg_ctl', 'postgres']) {
    await chmod(path.join(copy, 'bin', name), 0o755);
  }
  if (await runs(copy)) return copy;
  throw new SandboxError(
    'start-failed',
    'The embedded PostgreSQL is installed but its programs do not start.',
    'Reinstall the packages (npm ci), or name a server with --sandbox-url.',
  );
}

async function initialise(
  folder: string,
  binaries: string,
  account: Account | null,
  password: string,
): Promise<void> {
  const passwordFile = path.join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account !== null) await chown(passwordFile, account.uid, account.gid);
  const settings = Object.entries(SERVER_SETTINGS).map(([name, value]) => `--set=${name}=${value}`);
  const result = await execa(
    path.join(binaries, 'bin', 'initdb'),
    [
      `--pgdata=${path.join(folder, DATA_FOLDER)}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
      ...settings,
    ],
    { reject: false, env: serverEnvironment(), extendEnv: false, ...account },
  );
  await rm(passwordFile, { force: true });
  if (result.exitCode === 0) return;
  throw new SandboxError(
    'start-failed',
    `The embedded PostgreSQL could not make its files: ${lastLine(result.stderr)}`,
    `Check that ${tmpdir()} has free space and may be written.`,
  );
}

async function startOnFreePort(
  folder: string,
  binaries: string,
  account: Account | null,
): Promise<{ port: number; server: ChildProcess }> {
  let said = '';
  // Another process may take the port between the moment it is found and the server's start.
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
    const port = await freePort();
    const server = spawn(
      path.join(binaries, 'bin', 'postgres'),
      ['-D', path.join(folder, DATA_FOLDER), '-p', String(port)],
      {
        ...account,
        env: serverEnvironment(),
        // Ctrl-C goes to the whole group of the terminal: the server must outlive it, to be ended in order.
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const outcome = await started(server);
    if (outcome.ready) return { port, server };
    said = outcome.said;
  }
  throw new SandboxError(
    'start-failed',
    `The embedded PostgreSQL did not start: ${lastLine(said)}`,
    'Name a server with --sandbox-url instead, or look whether memory or shared memory is short.',
  );
}

function started(server: ChildProcess): Promise<{ ready: boolean; said: string }> {
  let said = '';
  let ready = false;
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.kill('SIGQUIT'), START_TIMEOUT_MS);
    const settle = () => {
      clearTimeout(timer);
      // What it says later is read and dropped, so that its pipe never fills.
      letProcessEnd(server, server.stderr);
      resolve({ ready, said });
    };
    server.stderr?.on('data', (chunk: Buffer) => {
      if (ready) return;
      said = (said + chunk.toString()).slice(-4000);
      ready = said.includes('ready to accept connections');
      if (ready) settle();
    });
    server.once('error', (error) => {
      said += error.message;
      settle();
    });
    server.once('exit', settle);
  });
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.ref();
  server.kill('SIGQUIT');
  await exited;
}

/** None of the caller's settings: a PGPORT or PGDATA of a developer's shell must not reach it. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
