/** Metadata tables in a scratch database, and short words for what workers do to them. */
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { openMetadata } from '../../../src/adapters/postgres/metadata.ts';
import { step } from '../../../src/core/lifecycle/step.ts';
import type { RunEvent } from '../../../src/core/lifecycle/step.ts';
import { transition } from '../../../src/core/lifecycle/transition.ts';
import type { Decide, DecideClaim, Metadata } from '../../../src/ports/metadata.ts';
import type { SqlResult, SqlSession } from '../../../src/ports/sandbox.ts';
import { connectTo, openScratchServer } from './scratch-database.ts';
import type { ScratchServer } from './scratch-database.ts';

export const PLAN = 'sales';
/** A name that must be quoted. */
export const SCHEMA = 'wire "kite"';
export const AT = '2026-07-01T12:00:00.123Z';

export interface MetadataHarness {
  /** Another connection to the metadata tables. */
  open(): Promise<Metadata>;
  /** Starts a run of procedures, each `[id, ...what it depends on]`; `src.x` is a pipeline. */
  started(...procedures: [string, ...string[]][]): Promise<Metadata>;
  /** Connection URL of the database. */
  url(): string;
  /** Rows of a query, on a connection of its own. */
  rows(query: string): Promise<SqlResult['rows']>;
}

/** Registers the hooks of a test file; every test gets an empty database. */
export function useMetadata(planText = '# Plan'): MetadataHarness {
  let server: ScratchServer;
  let url: string;
  let sql: SqlSession;
  const opened: Metadata[] = [];

  beforeAll(async () => {
    server = await openScratchServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    url = await server.create('metadata');
    sql = await connectTo(url);
    return async () => {
      await Promise.all(opened.splice(0).map((metadata) => metadata.close()));
      await sql.close();
    };
  });

  async function open(): Promise<Metadata> {
    const metadata = await openMetadata({
      // A time zone of its own, so that times that are not UTC stand out.
      open: async () => {
        const session = await connectTo(url);
        await session.query("SET TimeZone TO 'Asia/Kolkata'");
        return session;
      },
      schema: SCHEMA,
      clock: {
        now: () => AT,
        sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds / 10)),
      },
      patience: 5_000,
    });
    opened.push(metadata);
    return metadata;
  }

  return {
    open,
    started: async (...procedures) => {
      const metadata = await open();
      await metadata.migrate();
      await metadata.start(
        {
          plan: PLAN,
          planText,
          baseCommit: 'abc',
          at: AT,
          procedures: procedures.map(([id, ...needs]) => ({
            id,
            dependsOn: needs.filter((name) => !isPipeline(name)),
            pipelines: needs.filter(isPipeline),
          })),
          pipelines: [...new Set(procedures.flat())]
            .filter(isPipeline)
            .map((id) => ({ id, target: `raw.${id}`, follows: true })),
        },
        (members) => ({ states: step(members, []).states }),
      );
      return metadata;
    },
    url: () => url,
    rows: async (query) => (await sql.query(query)).rows,
  };
}

function isPipeline(name: string): boolean {
  return name.startsWith('src.');
}

/** Events that must all be accepted. */
export function events(...list: RunEvent[]): Decide {
  return (members) => {
    const { states, rejections } = step(members, list);
    expect(rejections).toEqual([]);
    return { states };
  };
}

export function claimAs(claim: string): DecideClaim {
  return (member, crashed) => {
    const type = crashed ? 'take over' : 'claim';
    const result = transition(member.state, { type, claim, at: AT });
    return result.ok ? result.state : null;
  };
}

export async function claimed(metadata: Metadata, claim: string, most = 10): Promise<string[]> {
  return (await metadata.claim(PLAN, most, claimAs(claim))).map(({ id }) => id);
}

export function finish(id: string, claim: string, failure: string | null = null): RunEvent {
  return { id, type: 'finish', claim, at: AT, proof: 'proven', failure };
}

/** Status by procedure. */
export async function statuses(metadata: Metadata): Promise<Record<string, string>> {
  const members = await metadata.members(PLAN);
  return Object.fromEntries([...members].map(([id, { state }]) => [id, state.status]));
}
