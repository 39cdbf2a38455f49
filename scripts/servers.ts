/** Throw-away servers for tests, bench and soak: PostgreSQL with a logical log, MariaDB with a row log. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { serverAccount } from '../src/adapters/sandbox/account.ts';
import { binaryFolder } from '../src/adapters/sandbox/platform.ts';

const run = promisify(execFile);
const START_MS = 60_000;

export interface TestServer {
  readonly dialect: 'postgres' | 'mysql';
  readonly port: number;
  /** Connection URL of a database (PostgreSQL) or of the server (MariaDB). */
  url(database?: string): string;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on its port and data. */
  restart(): Promise<void>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

interface Launch {
  readonly folder: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly account: { uid: number; gid: number } | null;
  readonly ready: () => Promise<boolean>;
}

/** Dies with the process that started it, even where that one is killed. */
function start(launch: Launch): ChildProcess {
  const ids =
    launch.account === null
      ? []
      : [`--reuid=${launch.account.uid}`, `--regid=${launch.account.gid}`, '--clear-groups'];
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...ids, launch.command, ...launch.args], {
    stdio: 'ignore',
    cwd: launch.folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
  });
}

async function untilReady(launch: Launch, server: ChildProcess): Promise<void> {
  const until = Date.now() + START_MS;
  while (Date.now() < until && server.exitCode === null) {
    if ((await answers(launch.port)) && (await launch.ready())) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(
    `${launch.command} did not start (exit ${server.exitCode}); its files are in ${launch.folder}`,
  );
}

async function served(
  dialect: TestServer['dialect'],
  launch: Launch,
  url: (database?: string) => string,
): Promise<TestServer> {
  let server = start(launch);
  await untilReady(launch, server);
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    server.kill(signal);
    await ended;
  };
  return {
    dialect,
    port: launch.port,
    url,
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGKILL');
      // The children of a killed server may hold its shared memory for a moment.
      for (let tries = 1; ; tries += 1) {
        server = start(launch);
        try {
          await untilReady(launch, server);
          return;
        } catch (error) {
          if (tries >= 20) throw error;
          await new Promise((done) => setTimeout(done, 250));
        }
      }
    },
    async stop() {
      await end('SIGKILL');
      await rm(launch.folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function reachableBinaries(folder: string, account: Launch['account']): Promise<string> {
  const installed = await binaryFolder();
  if (account === null) return installed;
  const copy = path.join(folder, 'native');
  try {
    await run(path.join(installed, 'bin', 'postgres'), ['--version'], { ...account });
    return installed;
  } catch {
    await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
    for (const name of ['initdb', 'pg_ctl', 'postgres'])
      await chmod(path.join(copy, 'bin', name), 0o755);
    return copy;
  }
}

/** `binaries`: the folder of another PostgreSQL's programs; the embedded one if left out. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
  binaries?: string,
): Promise<TestServer> {
  const account = await serverAccount();
  const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-move-pg-'));
  if (account !== null) await chown(folder, account.uid, account.gid);
  const programs = binaries ?? path.join(await reachableBinaries(folder, account), 'bin');
  const data = path.join(folder, 'data');
  await run(
    path.join(programs, 'initdb'),
    [
      `--pgdata=${data}`,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...account, cwd: folder },
  );
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    max_wal_senders: '10',
    max_replication_slots: '10',
    shared_buffers: '128MB',
    max_wal_size: '4GB',
    wal_sender_timeout: '10s',
    ...settings,
  };
  const launch: Launch = {
    folder,
    port,
    account,
    command: path.join(programs, 'postgres'),
    args: [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ready: () => accepts(port),
  };
  return served(
    'postgres',
    launch,
    (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`,
  );
}

/** The port is open before the server accepts: the first message of a session tells. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const body = Buffer.from('user\0postgres\0database\0postgres\0\0');
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(196_608, 4);
    socket.once('connect', () => socket.write(Buffer.concat([head, body])));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer[0] === 0x52);
    });
    socket.once('error', () => resolve(false));
    socket.once('end', () => resolve(false));
  });
}

export async function startMariadb(settings: readonly string[] = []): Promise<TestServer> {
  const program = ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd', '/usr/sbin/mysqld'].find(
    (file) => existsSync(file),
  );
  if (program === undefined)
    throw new Error('mariadbd is not installed: apt-get install mariadb-server');
  const account = process.getuid?.() === 0 ? await accountOf('mysql') : null;
  const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-move-my-'));
  if (account !== null) await chown(folder, account.uid, account.gid);
  const data = path.join(folder, 'data');
  // A server that starts clears its folder for temporary files: each has its own.
  const temporary = path.join(folder, 'tmp');
  await mkdir(temporary);
  if (account !== null) await chown(temporary, account.uid, account.gid);
  await run(
    'mariadb-install-db',
    [
      '--no-defaults',
      `--tmpdir=${temporary}`,
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
    ],
    { ...account, cwd: folder },
  );
  const port = await freePort();
  const launch: Launch = {
    folder,
    port,
    account,
    command: program,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${path.join(folder, 'socket')}`,
      `--pid-file=${path.join(folder, 'pid')}`,
      '--server-id=1',
      '--log-bin=binlog',
      '--binlog-format=ROW',
      '--binlog-row-metadata=FULL',
      '--binlog-row-image=FULL',
      '--skip-name-resolve',
      '--innodb-buffer-pool-size=128M',
      '--innodb-flush-log-at-trx-commit=1',
      '--sync-binlog=1',
      '--local-infile=1',
      '--character-set-server=utf8mb4',
      ...settings,
    ],
    ready: () => greets(port),
  };
  return served('mysql', launch, (database = '') => `mysql://root@127.0.0.1:${port}/${database}`);
}

/** A server that is ready sends its greeting first. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer[4] === 10);
    });
    socket.once('error', () => resolve(false));
    socket.once('end', () => resolve(false));
  });
}

async function accountOf(name: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
