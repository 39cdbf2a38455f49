import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverAccount } from '../../../src/adapters/sandbox/account.ts';
import { sweepAbandoned } from '../../../src/adapters/sandbox/cleanup.ts';
import { startCluster } from '../../../src/adapters/sandbox/cluster.ts';
import type { Cluster } from '../../../src/adapters/sandbox/cluster.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { openServerSandbox, parseServerUrl } from '../../../src/adapters/sandbox/server.ts';
import { openSession } from '../../../src/adapters/sandbox/session.ts';
import { SandboxError } from '../../../src/ports/sandbox.ts';

const opener = path.resolve('src/adapters/sandbox/open.ts');

/** A process that opens a sandbox in a temporary folder of its own and then waits. */
async function openElsewhere(temporary: string): Promise<ReturnType<typeof spawn>> {
  const script = `
    const { openSandbox } = await import(${JSON.stringify(opener)});
    const sandbox = await openSandbox(null);
    await sandbox.create('left');
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  });
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  return child;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('an embedded server', () => {
  let temporary: string;
  beforeAll(async () => {
    temporary = await mkdtemp(path.join(tmpdir(), 'sandbox-test-'));
    await chmod(temporary, 0o755);
  });
  afterAll(() => rm(temporary, { recursive: true, force: true }));

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'goes away with its files when its process dies of %s',
    async (signal) => {
      const child = await openElsewhere(temporary);
      const [folder] = await readdir(temporary);
      expect(folder).toMatch(/^sprocket-sandbox-/);
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
      await until(async () => (await readdir(temporary)).length === 0);
    },
  );

  it('removes nothing but its own folder when it closes', async () => {
    const sandbox = await openSandbox(null);
    const { port } = sandbox.parameters('x');
    const other = await openSandbox(null);
    await sandbox.close();
    await sandbox.close();
    await other.create('still');
    await other.close();
    const gone = { host: '127.0.0.1', port, user: 'postgres', password: '', database: 'postgres' };
    await expect(openSession(gone, 'test')).rejects.toMatchObject({ code: '08006' });
  });
});

describe('the sweep', () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  async function clusterFolder(owner: string): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-sandbox-'));
    folders.push(folder);
    await mkdir(path.join(folder, 'data'));
    await writeFile(path.join(folder, 'owner.json'), owner);
    return folder;
  }

  it('removes what a dead process left, and only that', async () => {
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    const dead = await clusterFolder(JSON.stringify({ pid: child.pid, started: '1' }));
    const reused = await clusterFolder(JSON.stringify({ pid: process.pid, started: 'other' }));
    const alive = await clusterFolder(JSON.stringify({ pid: process.pid, started: null }));
    const unreadable = await clusterFolder('{');
    await sweepAbandoned();
    expect([dead, reused, alive, unreadable].map((folder) => existsSync(folder))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe('a server given by URL', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(await serverAccount());
  });
  afterAll(() => cluster.stop());

  async function databases(): Promise<string[]> {
    const session = await openSession(cluster.connection, 'test');
    const { rows } = await session.query(
      "SELECT datname FROM pg_database WHERE datname LIKE 'sprocket%' ORDER BY 1",
    );
    await session.close();
    return rows.map(([name]) => String(name));
  }

  it('is left as it was found', async () => {
    const sandbox = await openServerSandbox({ server: cluster.connection, id: 'one' });
    await sandbox.create('a');
    await sandbox.clone('a', 'b');
    expect(await databases()).toEqual(['sprocket_sandbox_one_a', 'sprocket_sandbox_one_b']);
    await sandbox.close();
    expect(await databases()).toEqual([]);
  });

  it('loses what a killed sandbox left, but not what a living one or a person has', async () => {
    const session = await openSession(cluster.connection, 'test');
    await session.query('CREATE DATABASE sprocket_sandbox_killed_a');
    await session.query('CREATE DATABASE sprocket_of_somebody');
    const living = await openServerSandbox({ server: cluster.connection, id: 'living' });
    await living.create('a');
    const next = await openServerSandbox({ server: cluster.connection, id: 'next' });
    expect(await databases()).toEqual(['sprocket_of_somebody', 'sprocket_sandbox_living_a']);
    await next.close();
    await living.close();
    await session.query('DROP DATABASE sprocket_of_somebody');
    await session.close();
  });

  it('says which right is missing and how to give it', async () => {
    const session = await openSession(cluster.connection, 'test');
    await session.query("CREATE ROLE weak LOGIN PASSWORD 'secret-word'");
    const server = { ...cluster.connection, user: 'weak', password: 'secret-word' };
    for (const statement of [
      'ALTER ROLE "weak" CREATEDB;',
      'GRANT SET ON PARAMETER session_replication_role TO "weak";',
    ]) {
      await expect(openServerSandbox({ server, id: 'weak' })).rejects.toMatchObject({
        code: 'no-right',
        advice: expect.stringContaining(statement),
      });
      await session.query(statement);
    }
    // One that can't be dropped, because it is the way in, stands in nobody's way.
    const database = 'sprocket_sandbox_dead_a';
    await session.query(`CREATE DATABASE ${database} OWNER weak`);
    await (await openServerSandbox({ server: { ...server, database }, id: 'weak' })).close();
    await session.query(`DROP DATABASE ${database}`);
    await session.close();
  });
});

describe('a sandbox URL', () => {
  it('is read with all its parts, and with what may be left out', () => {
    expect(parseServerUrl('postgres://a%40b:p%2Fw@[::1]:5433/data%20base')).toEqual({
      host: '::1',
      port: 5433,
      user: 'a@b',
      password: 'p/w',
      database: 'data base',
    });
    expect(parseServerUrl('postgresql://localhost')).toEqual({
      host: 'localhost',
      port: 5432,
      user: 'postgres',
      password: '',
      database: 'postgres',
    });
  });

  it.each(['mysql://u:hunter2@h/d', 'hunter2', 'postgres//hunter2'])(
    'is refused without being repeated: %#',
    (url) => {
      const read = () => parseServerUrl(url);
      expect(read).toThrow(SandboxError);
      expect(read).not.toThrow(/hunter2/);
    },
  );

  it('never shows its password when the server refuses', async () => {
    const refused = openSandbox('postgres://u:hunter2@127.0.0.1:1/d');
    await expect(refused).rejects.toMatchObject({ code: 'unreachable' });
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });
});
