/**
 * Nothing of a sandbox outlives its process: a watchdog cleans up when the process is killed, and
 * the next start sweeps what even the watchdog could not (a power cut, a killed process tree).
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';

export const CLUSTER_PREFIX = 'sprocket-sandbox-';
export const OWNER_FILE = 'owner.json';
export const DATA_FOLDER = 'data';

const ownerSchema = z.object({ pid: z.number().int(), started: z.string().nullable() });

/**
 * Waits at the end of a pipe that closes with its parent, however the parent dies; then ends the
 * server and removes its files. `$1` is the cluster's folder.
 */
const WATCHDOG_SCRIPT = `
read -r _
pid=$(head -n 1 "$1/${DATA_FOLDER}/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
fi
rm -rf "$1"
`;

/** Starts the watchdog of a cluster's folder. `dismiss` once the folder is gone. */
export function startWatchdog(folder: string): { dismiss(): void } {
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG_SCRIPT, CLUSTER_PREFIX, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // Without a shell there is no watchdog; the sweep at the next start still cleans up.
  watchdog.on('error', () => undefined);
  letProcessEnd(watchdog, watchdog.stdin);
  return { dismiss: () => watchdog.stdin?.end() };
}

/** A child and its pipe no longer keep this process alive. */
export function letProcessEnd(child: ChildProcess, pipe: Readable | Writable | null): void {
  child.unref();
  if (pipe instanceof Socket) pipe.unref();
}

/** What tells whether the process that owns a cluster is still the same one. */
export async function ownerRecord(): Promise<string> {
  return JSON.stringify({ pid: process.pid, started: await startTime(process.pid) });
}

/** Removes clusters whose owner is gone. Never fails: what can't be removed is left. */
export async function sweepAbandoned(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(CLUSTER_PREFIX)) continue;
    const folder = path.join(tmpdir(), name);
    if (await isAbandoned(folder)) await removeCluster(folder).catch(() => undefined);
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  try {
    const owner = ownerSchema.parse(
      JSON.parse(await readFile(path.join(folder, OWNER_FILE), 'utf8')),
    );
    if (!isAlive(owner.pid)) return true;
    return owner.started !== null && (await startTime(owner.pid)) !== owner.started;
  } catch {
    // Not ours to read, or just being made.
    return false;
  }
}

/** Ends the cluster's server if it still runs, and removes the folder. */
export async function removeCluster(folder: string): Promise<void> {
  const pid = await postmasterPid(folder);
  if (pid !== null && (await commandLine(pid)).includes(folder)) {
    process.kill(pid, 'SIGQUIT');
    for (let wait = 0; wait < 50 && isAlive(pid); wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

async function postmasterPid(folder: string): Promise<number | null> {
  const file = path.join(folder, DATA_FOLDER, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? null : pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Ticks since boot from Linux's process table; null where there is no such table. */
async function startTime(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return afterName[19] ?? null;
}

async function commandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    const { execa } = await import('execa');
    const result = await execa('ps', ['-p', String(pid), '-o', 'command='], { reject: false });
    return result.stdout;
  }
}
