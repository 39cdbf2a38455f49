/**
 * Proves a batch of a run on a copy of the source. The copy is made once per worker; a clone of it
 * gets what the procedures of the batch find there: the work of those that they depend on. The next
 * batch goes on from it where it can.
 */
import { qualified, routineId } from '../core/catalog/names.ts';
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { readEffects } from '../core/graph/effects.ts';
import { planParameters } from '../core/lifecycle/branch.ts';
import { isLoaded } from '../core/lifecycle/pipelines.ts';
import type { RunMembers } from '../core/lifecycle/run.ts';
import { callSql } from '../core/proof/call.ts';
import { withCalled } from '../core/proof/called.ts';
import type { Translation } from '../core/translate/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { DbtRunner } from '../ports/dbt.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { Sandbox, SqlSession } from '../ports/sandbox.ts';
import type { ReadSchema } from '../ports/source.ts';
import type { Workspace } from '../ports/workspace.ts';
import { isContinuable, touchedTables } from '../core/proof/upstream.ts';
import { changesSince, observe, refreshStatistics, relationsOf } from './prove-compare.ts';
import { cloneState, DEFAULT_LIMITS, withSession } from './prove-context.ts';
import type { ArgumentValues } from './prove-context.ts';
import { proveDatabase } from './prove-database.ts';
import { copySource } from './run-copy.ts';
import type { ProofRequest, ProofResult, Prove } from './work-phases.ts';

/** Where proofs run. Opened when the first is wanted, and again after one was interrupted. */
export interface ProofSite {
  readonly sandbox: Sandbox;
  readonly dbt: DbtRunner;
  readonly workspace: Workspace;
}

export interface ProverOptions {
  readonly openSite: () => Promise<ProofSite>;
  /** A connection to the source that only reads. */
  readonly connectSource: () => Promise<SqlSession>;
  /** A connection to the target that only reads. */
  readonly connectTarget: () => Promise<SqlSession>;
  readonly readSchema: ReadSchema;
  readonly clock: Clock;
}

export interface Prover {
  readonly prove: Prove;
  close(): Promise<void>;
}

const COPY = 'source';
const REACHED = 'reached';
const GIVEN = 'given';

interface OpenSite extends ProofSite {
  /** What was copied; null before there is a copy. */
  copied: Copied | null;
  /** What was called on the database REACHED, in order; null while there is none. */
  reached: readonly string[] | null;
}

interface Copied {
  readonly catalog: Catalog;
  /** Pipelines whose rows were taken from the target. */
  readonly loaded: ReadonlySet<string>;
}

export function sourceProver(options: ProverOptions): Prover {
  let site: OpenSite | null = null;

  async function close(): Promise<void> {
    const open = site;
    site = null;
    if (open === null) return;
    await Promise.allSettled([open.dbt.close(), open.workspace.close(), open.sandbox.close()]);
  }

  async function prove(request: ProofRequest): Promise<ReadonlyMap<string, ProofResult>> {
    request.signal.throwIfAborted();
    site ??= { ...(await options.openSite()), copied: null, reached: null };
    // dbt and the database would go on for minutes: closing them is what stops them.
    const interrupt = (): void => void close();
    request.signal.addEventListener('abort', interrupt, { once: true });
    try {
      // It takes a while to open.
      request.signal.throwIfAborted();
      return await proveOn(site, options, request);
    } finally {
      request.signal.removeEventListener('abort', interrupt);
    }
  }
  return { prove, close };
}

async function proveOn(
  site: OpenSite,
  options: ProverOptions,
  request: ProofRequest,
): Promise<ReadonlyMap<string, ProofResult>> {
  const { plan, catalog, translations, ids, signal } = request;
  const values = new Map(Object.entries(planParameters(plan, translations)));
  // It takes seconds to start: meanwhile the source is copied. A failure comes with its first build.
  void site.dbt.version().catch(() => undefined);
  await copyOnce(site, options, request);
  await goUpstream(site, request, values);
  await cloneState({ sandbox: site.sandbox, catalog }, REACHED, GIVEN);
  signal.throwIfAborted();
  const proven = new Set(ids);
  const known = withCalled(translations, ids);
  const { verdicts, unitTests } = await proveDatabase({
    tools: { ...site, signal, limits: DEFAULT_LIMITS },
    catalog,
    translations: translations.filter(({ routine }) => proven.has(routine)),
    known: translations.filter(({ routine }) => known.has(routine)),
    ordered: true,
    database: GIVEN,
    changes: [],
    values,
    handwritten: request.handwritten,
    now: new Date(options.clock.now()),
    progress: () => undefined,
  });
  return new Map(
    verdicts.map((verdict) => [
      verdict.name,
      { verdict, unitTests: unitTests.get(verdict.name) ?? [] },
    ]),
  );
}

/** One copy serves until a procedure reads a table that was loaded later. */
async function copyOnce(
  site: OpenSite,
  { connectSource, connectTarget, readSchema }: ProverOptions,
  request: ProofRequest,
): Promise<void> {
  const { plan, catalog, translations, ids, members } = request;
  const places = loadedPlaces(request);
  const needed = [...ids, ...upstreamOf(ids, members)]
    .flatMap((id) => members.get(id)?.pipelines ?? [])
    .filter(({ id }) => places.has(id));
  const { copied } = site;
  if (copied?.catalog === catalog && needed.every(({ id }) => copied.loaded.has(id))) return;
  site.copied = null;
  site.reached = null;
  await site.sandbox.create(COPY);
  const source = await connectSource();
  const loaded = places.size === 0 ? null : { session: await connectTarget(), places };
  try {
    await withSession(site, COPY, (target) =>
      copySource({
        source,
        loaded,
        target,
        readSchema,
        catalog,
        without: plan.settings.target.metadataSchema,
        tables: tablesOf(catalog, translations),
        maxRows: plan.settings.proof.maxRows,
      }),
    );
  } finally {
    await Promise.all([source.close(), loaded?.session.close()]);
  }
  site.copied = { catalog, loaded: new Set(places.keys()) };
}

/** Tables that are taken from the target, by their name in the source. */
function loadedPlaces({ plan, members }: ProofRequest): ReadonlyMap<string, QualifiedName> {
  if (plan.settings.proof.rows === 'source') return new Map();
  const awaited = [...members.values()].flatMap(({ pipelines }) => pipelines);
  const loaded = new Set(awaited.filter(isLoaded).map(({ id }) => id));
  return new Map(
    plan.pipelines.flatMap(({ include, id, target }) =>
      include && loaded.has(id) ? [[id, target]] : [],
    ),
  );
}

/** Every table that some procedure of the run touches, through views and helpers too. */
function tablesOf(catalog: Catalog, translations: readonly Translation[]): ReadonlySet<string> {
  const effects = readEffects(catalog);
  const routines = new Set(translations.map(({ routine }) => routine));
  const tables = new Set<string>();
  for (const routine of routines) {
    const { reads, writes, calls } = effects.get(routine) ?? { reads: [], writes: [], calls: [] };
    for (const table of [...reads, ...writes]) tables.add(qualified(table));
    for (const called of calls) routines.add(called);
  }
  return tables;
}

/** Everything that the procedures wait for, directly or through others, in execution order. */
function upstreamOf(ids: readonly string[], members: RunMembers): readonly string[] {
  const found = new Set(ids);
  for (const id of found) for (const needs of members.get(id)?.dependsOn ?? []) found.add(needs);
  for (const id of ids) found.delete(id);
  return [...members.keys()].filter((id) => found.has(id));
}

/** Calls what the procedures of the batch depend on, but for what has been called before. */
async function goUpstream(
  site: OpenSite,
  { catalog, translations, ids, members, signal }: ProofRequest,
  values: ReadonlyMap<string, ArgumentValues>,
): Promise<void> {
  const { sandbox, reached } = site;
  const wanted = upstreamOf(ids, members);
  const touched = touchedTables(catalog, translations);
  const goesOn =
    reached !== null && isContinuable({ called: reached, wanted, batch: ids, touched });
  const called = goesOn ? [...reached] : [];
  site.reached = null;
  if (!goesOn) await cloneState({ sandbox, catalog }, COPY, REACHED);
  for (const id of wanted) {
    if (called.includes(id)) continue;
    signal.throwIfAborted();
    await call(sandbox, catalog, id, values);
    called.push(id);
  }
  site.reached = called;
}

/** One that fails leaves its tables as they are: as it does in the source. */
async function call(
  sandbox: Sandbox,
  catalog: Catalog,
  id: string,
  values: ReadonlyMap<string, ArgumentValues>,
): Promise<void> {
  const routine = catalog.routines.find((candidate) => routineId(candidate) === id);
  if (routine === undefined) return;
  await withSession({ sandbox }, REACHED, async (session) => {
    const before = await observe(session);
    await session.query(`SET statement_timeout = ${DEFAULT_LIMITS.procedureMs}`);
    await session.query(callSql(routine, values.get(id) ?? {})).catch((error: unknown) => {
      if (!(error instanceof SqlError) || error.isOfServer) throw error;
    });
    await session.query('RESET ALL');
    await refreshStatistics(
      session,
      await changesSince(session, await relationsOf(session), before),
    );
  });
}
