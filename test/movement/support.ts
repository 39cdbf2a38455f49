/** Two servers, four pairs: what the tests of a move have in common. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openConnection, query as mysqlQuery } from '../../src/adapters/mysql/move_session.ts';
import { openClient, query as pgQuery } from '../../src/adapters/postgres/move_session.ts';
import type { MoveSettings } from '../../src/cli/move_wiring.ts';
import { withMove } from '../../src/cli/move_wiring.ts';
import type { Dialect, Pipeline } from '../../src/core/movement/model.ts';
import type { Rows } from '../../src/ports/move.ts';
import type { MoveContext } from '../../src/usecases/move_context.ts';
import type { MoveGoal } from '../../src/usecases/move_follow.ts';
import type { MoveResult } from '../../src/usecases/move.ts';
import { runMove } from '../../src/usecases/move.ts';
import type { TestServer } from '../../scripts/servers.ts';
import { startMariadb, startPostgres } from '../../scripts/servers.ts';

export type Servers = Readonly<Record<Dialect, TestServer>>;

export const PAIRS: readonly (readonly [Dialect, Dialect])[] = [
  ['postgres', 'postgres'],
  ['mysql', 'postgres'],
  ['postgres', 'mysql'],
  ['mysql', 'mysql'],
];

export async function startServers(): Promise<Servers> {
  const [postgres, mysql] = await Promise.all([startPostgres(), startMariadb()]);
  return { postgres, mysql };
}

export async function stopServers(servers: Servers | undefined): Promise<void> {
  await Promise.all([servers?.postgres.stop(), servers?.mysql.stop()]);
}

/** Runs statements one after the other on one session; returns the rows of the last. */
async function run(
  server: TestServer,
  database: string,
  ...statements: readonly string[]
): Promise<Rows> {
  let rows: Rows = [];
  if (server.dialect === 'postgres') {
    const client = await openClient(server.url(database));
    try {
      for (const sql of statements) rows = await pgQuery(client, sql);
    } finally {
      await client.end();
    }
    return rows;
  }
  const connection = await openConnection(server.url());
  try {
    for (const sql of statements) rows = await mysqlQuery(connection, sql);
  } finally {
    connection.destroy();
  }
  return rows;
}

/** A pair of empty databases for one test. In PostgreSQL they are databases, in MySQL prefixes of schemas. */
export interface Arena {
  readonly servers: Servers;
  readonly source: TestServer;
  readonly target: TestServer;
  readonly settings: MoveSettings;
  onSource(...statements: readonly string[]): Promise<Rows>;
  onTarget(...statements: readonly string[]): Promise<Rows>;
  /** Names of the schemas that stand for `src` and `raw`. */
  readonly src: string;
  readonly raw: string;
  readonly logged: string[];
  close(): Promise<void>;
}

export interface ArenaOptions {
  readonly tables: readonly string[];
  readonly follow?: boolean;
  readonly chunkBytes?: number;
  readonly zeroDates?: 'error' | 'null';
  readonly name?: string;
  readonly metadataSchema?: string;
}

let count = 0;

export async function openArena(
  servers: Servers,
  [from, to]: readonly [Dialect, Dialect],
  options: ArenaOptions,
): Promise<Arena> {
  count += 1;
  const source = servers[from];
  const target = servers[to];
  const names = {
    source: `s${count}`,
    target: `t${count}`,
    src: `src${count}`,
    raw: `raw${count}`,
  };
  for (const [server, database] of [
    [source, names.source],
    [target, names.target],
  ] as const) {
    if (server.dialect === 'postgres') await run(server, 'postgres', `CREATE DATABASE ${database}`);
  }
  await run(source, names.source, `CREATE SCHEMA ${names.src}`);
  const folder = await mkdtemp(path.join(tmpdir(), 'sprocket-move-work-'));
  const pipelines: Pipeline[] = options.tables.map((table) => ({
    source: { schema: names.src, name: table },
    target: { schema: names.raw, name: table },
    key: [],
    follow: options.follow ?? true,
  }));
  return {
    servers,
    source,
    target,
    src: names.src,
    raw: names.raw,
    logged: [],
    settings: {
      plan: {
        name: options.name ?? `plan-${count}`,
        pipelines,
        zeroDates: options.zeroDates ?? 'error',
        chunkBytes: options.chunkBytes ?? 64 * 1024 * 1024,
      },
      source: { dialect: from, url: source.url(from === 'postgres' ? names.source : '') },
      target: {
        dialect: to,
        url: target.url(to === 'postgres' ? names.target : ''),
        metadataSchema: options.metadataSchema ?? `wirekite${count}`,
      },
      folder,
    },
    onSource: (...statements) => run(source, names.source, ...statements),
    onTarget: (...statements) => run(target, names.target, ...statements),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export function inArena<T>(
  arena: Arena,
  use: (context: MoveContext) => Promise<T>,
  signal: AbortSignal = new AbortController().signal,
  onProgress: () => void = () => undefined,
): Promise<T> {
  return withMove(
    arena.settings,
    signal,
    { log: (message) => arena.logged.push(message), progress: onProgress },
    use,
  );
}

export function moveTo(arena: Arena, goal: MoveGoal, signal?: AbortSignal): Promise<MoveResult> {
  return inArena(arena, (context) => runMove(context, { goal, patienceMs: 30_000 }), signal);
}
