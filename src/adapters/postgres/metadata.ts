/** The metadata tables in PostgreSQL. */
import { contractName } from '../../core/lifecycle/contract.ts';
import type { RunMember, RunMembers } from '../../core/lifecycle/run.ts';
import type { Clock } from '../../ports/clock.ts';
import { MetadataError } from '../../ports/metadata.ts';
import type { Changes, Decide, Metadata } from '../../ports/metadata.ts';
import { SqlError } from '../../ports/sandbox.ts';
import type { SqlSession } from '../../ports/sandbox.ts';
import { holders, presenceLock, tryLock, tryLockShared } from './lock.ts';
import type { Query } from './lock.ts';
import { claimInTransaction, procedureLock, unlockAll } from './metadata-claim.ts';
import { isMoving, readPipelines, retryPipelines } from './metadata-pipelines.ts';
import { readRequests, writeRequest } from './metadata-requests.ts';
import { readCounts, readMembers, writeStates } from './metadata-rows.ts';
import { migrate } from './metadata-schema.ts';
import { lastingSession } from './metadata-session.ts';
import {
  readCatalogText,
  readRun,
  resetInTransaction,
  writeDefinition,
  writeRun,
} from './metadata-start.ts';
import {
  readArtifacts,
  readDecisions,
  readLog,
  writeArtifacts,
  writeDecisions,
  writeLog,
} from './metadata-work.ts';
import { jsonTexts, quoteIdentifier, withoutNul } from './metadata-sql.ts';

export interface MetadataOptions {
  readonly open: () => Promise<SqlSession>;
  readonly schema: string;
  readonly clock: Clock;
  /** How long to wait for a server that went away, in milliseconds; default two minutes. */
  readonly patience?: number;
  /** Aborted when the process is to end: then nothing is waited for. */
  readonly hurry?: AbortSignal;
}

const PATIENCE = 120_000;
const EVERYTHING = { where: 'true', parameters: [] };

/** Connects to the metadata tables; throws where that fails the first time. */
export async function openMetadata(options: MetadataOptions): Promise<Metadata> {
  const { schema, clock } = options;
  const own = quoteIdentifier(schema);
  /** Locks of this connection by plan: taken again where it has to be made anew. */
  const held = new Map<string, Set<string>>();
  const heldBy = (plan: string): Set<string> => {
    const ids = held.get(plan) ?? new Set();
    held.set(plan, ids);
    return ids;
  };

  const session = await lastingSession({
    open: options.open,
    clock,
    patience: options.patience ?? PATIENCE,
    hurry: options.hurry,
    translate: (error) => (isMissingTable(error, schema) ? noTables(schema) : error),
    onReconnect: async (opened) => {
      for (const [plan, ids] of held) {
        await tryLockShared(opened, presenceLock(schema, plan));
        // One that another worker took over meanwhile is lost; what it records is refused then.
        for (const id of ids) {
          if (!(await tryLock(opened, procedureLock(schema, plan, id)))) ids.delete(id);
        }
      }
    },
  });

  return {
    migrate: () => session.run((open) => migrate(open, schema, clock.now())),

    actions: () =>
      session.run(async (open) => {
        const { rows } = await open.query(`SELECT action FROM ${own}.wirekite_action`);
        return rows.map(([action]) => action ?? null);
      }),

    setAction: (action) =>
      session.transaction(async (open) => {
        // Two who say different things at once must not leave two rows.
        await open.query(`LOCK TABLE ${own}.wirekite_action IN SHARE ROW EXCLUSIVE MODE`);
        await open.query(`DELETE FROM ${own}.wirekite_action`);
        await open.query(`INSERT INTO ${own}.wirekite_action VALUES ($1)`, [action]);
      }),

    start: (definition, decide) =>
      session.transaction(async (open) => {
        await writeDefinition(open, schema, definition);
        const members = toMap(await readMembers(open, schema, definition.plan, EVERYTHING));
        await writeChanges(open, schema, definition.plan, members, decide(members));
      }),

    run: (plan) => session.run((open) => readRun(open, schema, plan)),
    members: (plan) =>
      session.run(async (open) => toMap(await readMembers(open, schema, plan, EVERYTHING))),
    counts: (plan) => session.run((open) => readCounts(open, schema, plan)),
    catalog: (plan) => session.run((open) => readCatalogText(open, schema, plan)),
    saveCatalog: (plan, catalog) =>
      session.run((open) => writeRun(open, schema, plan, 'catalog', withoutNul(catalog))),
    setFinished: (plan, at) =>
      session.run((open) => writeRun(open, schema, plan, 'finished_at', at)),
    change: (plan, ids, decide) =>
      session.transaction((open) => change(open, schema, plan, ids, decide)),

    join: async (plan) => {
      const joined = await session.run((open) => tryLockShared(open, presenceLock(schema, plan)));
      if (joined) heldBy(plan);
      return joined;
    },
    workers: (plan) => session.run((open) => holders(open, presenceLock(schema, plan))),

    claim: async (plan, most, decide) => {
      const taken = new Set<string>();
      const request = { schema, plan, most, decide, held: heldBy(plan) };
      let claimed: readonly string[] = [];
      try {
        const members = await session.transaction((open) => {
          taken.clear();
          return claimInTransaction(open, request, taken);
        });
        claimed = members.map(({ id }) => id);
        for (const id of claimed) heldBy(plan).add(id);
        return members;
      } finally {
        const useless = [...taken].filter((id) => !claimed.includes(id));
        if (useless.length > 0) {
          await session.run((open) => unlockAll(open, schema, plan, useless));
        }
      }
    },

    unlock: (plan, ids) =>
      session.run(async (open) => {
        await unlockAll(open, schema, plan, ids);
        for (const id of ids) heldBy(plan).delete(id);
      }),

    artifacts: (plan, filter) =>
      session.run((open) => readArtifacts(open, schema, plan, filter ?? {})),
    log: (plan, lines) => session.run((open) => writeLog(open, schema, plan, lines)),
    logs: (plan, filter) => session.run((open) => readLog(open, schema, plan, filter ?? {})),
    decisions: (plan) => session.run((open) => readDecisions(open, schema, plan)),
    requests: (plan) => session.run((open) => readRequests(open, schema, plan)),
    recordRequest: (plan, request) =>
      session.run((open) => writeRequest(open, schema, plan, request)),
    pipelines: (plan) => session.run((open) => readPipelines(open, schema, plan)),
    retryPipelines: (plan, ids) => session.run((open) => retryPipelines(open, schema, plan, ids)),
    isMoving: (plan) => session.run((open) => isMoving(open, plan)),
    reset: (plan, isStopped) =>
      session.transaction((open) => resetInTransaction(open, schema, plan, isStopped)),
    close: () => session.close(),
  };
}

const UNDEFINED_TABLE = '42P01';

/** Only our own tables: a reset may also name some that the plan loads. */
function isMissingTable(error: unknown, schema: string): boolean {
  return (
    error instanceof SqlError &&
    error.code === UNDEFINED_TABLE &&
    error.message.includes(`${schema}.`) &&
    /(?:wirekite|sprocket)_/u.test(error.message)
  );
}

function noTables(schema: string): MetadataError {
  return new MetadataError(
    'no-tables',
    `There are no tables of Sprocket in schema "${schema}" (wirekite_progress, wirekite_action).`,
    'Start the run with "sprocket run", which makes them; or check target.metadata_schema in plan.md.',
  );
}

async function change(
  open: Query,
  schema: string,
  plan: string,
  ids: readonly string[],
  decide: Decide,
): Promise<void> {
  const own = quoteIdentifier(schema);
  const sources = JSON.stringify(ids.map(contractName));
  // Locked first and read then, in one order for everybody: two that finish at the same moment
  // must see each other, or what waits for both would wait for ever.
  const locked = await open.query(
    `SELECT source FROM ${own}.sprocket_procedure
     WHERE plan = $1 AND source = ANY (${jsonTexts('$2')} || ARRAY(
       SELECT source FROM ${own}.sprocket_dependency
       WHERE plan = $1 AND needs = ANY (${jsonTexts('$2')}))::text[])
     ORDER BY position FOR UPDATE`,
    [plan, sources],
  );
  const members = await readMembers(open, schema, plan, {
    where: `p.source = ANY (${jsonTexts('$3')} || ARRAY(
      SELECT needs FROM ${own}.sprocket_dependency
      WHERE plan = $1 AND source = ANY (${jsonTexts('$3')}))::text[])`,
    parameters: [JSON.stringify(locked.rows.map(([source]) => source))],
  });
  await writeChanges(open, schema, plan, toMap(members), decide(toMap(members)));
}

async function writeChanges(
  open: Query,
  schema: string,
  plan: string,
  members: RunMembers,
  changes: Changes,
): Promise<void> {
  await writeStates(open, schema, plan, changes.states, members);
  await writeArtifacts(open, schema, plan, changes.artifacts ?? []);
  await writeDecisions(open, schema, plan, changes.decisions ?? []);
  await writeLog(open, schema, plan, changes.logs ?? []);
}

function toMap(members: readonly RunMember[]): RunMembers {
  return new Map(members.map((member) => [member.id, member]));
}
