/** `sprocket run` as a process on a small warehouse, with everything real: dbt, PostgreSQL, git. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { scratchRepository } from '../adapters/git/scratch.ts';
import type { ScratchRepository } from '../adapters/git/scratch.ts';
import { connectTo } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { SqlSession } from '../../src/ports/sandbox.ts';

const PLAN_NAME = 'shop';
const BRANCH = `sprocket/${PLAN_NAME}`;
export const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

export interface Site {
  readonly scratch: ScratchRepository;
  /** Of the source, as `sprocket` sees it. */
  readonly url: string;
  /** The warehouse, which also holds the metadata tables. */
  readonly sql: SqlSession;
  /** Starts `sprocket` in a process group of its own. */
  start(...args: string[]): SprocketProcess;
  /** Runs `sprocket` to its end. */
  run(...args: string[]): Promise<Ended>;
  /** Files of the run's branch by path. */
  branchFiles(): Record<string, string>;
  close(): Promise<void>;
}

export interface SprocketProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Ctrl-C: a signal for the process and all that it started. */
  interrupt(): void;
  /** Ends the process and all that it started, as a power cut would. */
  kill(): Promise<void>;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A warehouse in a database of `server` and a repository with its plan. `login`: a role of the
 * warehouse that `sprocket` connects as, with its password; left out: as the server's own.
 */
export async function openSite(
  server: ScratchServer,
  database: string,
  warehouse: string,
  procedures: readonly string[],
  login?: string,
): Promise<Site> {
  const own = await server.create(database);
  const sql = await connectTo(own);
  const url = login === undefined ? own : own.replace(/(?<=:\/\/)[^@]*/u, `${login}:${login}`);
  await sql.query(warehouse);
  const urls = { source: url, target: url, sandbox: url };
  return siteOf(sql, urls, planText(procedures));
}

/** Connection URLs of the databases that a plan names. */
export interface SiteUrls {
  readonly source: string;
  readonly target: string;
  readonly sandbox: string;
}

/** A repository with the plan; `sql` is closed with it. */
export function siteOf(sql: SqlSession, urls: SiteUrls, plan: string): Site {
  const scratch = scratchRepository();
  scratch.write('plan.md', plan);
  scratch.commitAll('Plan');
  const environment = {
    ...process.env,
    SOURCE_DATABASE_URL: urls.source,
    TARGET_DATABASE_URL: urls.target,
    SANDBOX_DATABASE_URL: urls.sandbox,
    NO_COLOR: '1',
  };
  const start = (...args: string[]): SprocketProcess => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: scratch.directory,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = endOf(child);
    const signal = (name: NodeJS.Signals) => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, name);
    };
    return {
      child,
      ended,
      interrupt: () => signal('SIGINT'),
      kill: async () => {
        signal('SIGKILL');
        await ended;
      },
    };
  };
  return {
    scratch,
    url: urls.source,
    sql,
    start,
    run: (...args) => start(...args).ended,
    branchFiles: () => branchFiles(scratch),
    close: async () => {
      await sql.close();
      scratch.remove();
    },
  };
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk.toString()));
  await once(child, 'close');
  return { status: child.exitCode, stdout: out.join(''), stderr: err.join('') };
}

/** `pipelines`: rows of their table, `source | target | key | mode`. */
export function planText(
  procedures: readonly string[],
  pipelines: readonly string[] = [],
  source: 'postgres' | 'mysql' = 'postgres',
): string {
  return `---
sprocket: 1
name: ${PLAN_NAME}
source: { dialect: ${source}, url: SOURCE_DATABASE_URL }
target: { dialect: postgres, url: TARGET_DATABASE_URL }
sandbox: { url: SANDBOX_DATABASE_URL }
production: { project: transform }
workers: 2
---
# Plan

## Pipelines

| Include | Source | Target | Key | Mode | Status |
|---|---|---|---|---|---|
${pipelines.map((row) => `| yes | ${row} | Pending |`).join('\n')}

## Procedures

| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |
|---|---|---|---|---|---|---|
${procedures.map((id) => `| yes | ${id} | | | | | Pending |`).join('\n')}
`;
}

function branchFiles(scratch: ScratchRepository): Record<string, string> {
  const paths = scratch.git('ls-tree', '-r', '-z', '--name-only', BRANCH).split('\0');
  return Object.fromEntries(
    paths
      .filter((path) => path !== '')
      .map((path) => [path, scratch.git('show', `${BRANCH}:${path}`)]),
  );
}
