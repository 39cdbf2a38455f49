/**
 * Proves a batch of a run on a copy of the source. The copy is made once per worker; before each
 * proof a clone of it gets what the procedures of the batch find there: the work of those that they
 * depend on.
 */
import { qualified, routineId } from '../core/catalog/names.ts';
import type { Catalog } from '../core/catalog/types.ts';
import { readEffects } from '../core/graph/effects.ts';
import { planParameters } from '../core/lifecycle/branch.ts';
import type { RunMembers } from '../core/lifecycle/run.ts';
import { callSql } from '../core/proof/call.ts';
import type { Translation } from '../core/translate/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { DbtRunner } from '../ports/dbt.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { Sandbox, SqlSession } from '../ports/sandbox.ts';
import type { ReadSchema } from '../ports/source.ts';
import type { Workspace } from '../ports/workspace.ts';
import { cloneState, DEFAULT_LIMITS, withSession } from './prove-context.ts';
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
  readonly readSchema: ReadSchema;
  readonly clock: Clock;
}

export interface Prover {
  readonly prove: Prove;
  close(): Promise<void>;
}

const COPY = 'source';
const GIVEN = 'given';

interface OpenSite extends ProofSite {
  /** The catalog that was copied; null before there is a copy. */
  copied: Catalog | null;
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
    site ??= { ...(await options.openSite()), copied: null };
    // dbt and the database would go on for minutes: closing them is what stops them.
    const interrupt = (): void => void close();
    request.signal.addEventListener('abort', interrupt, { once: true });
    try {
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
  const { sandbox } = site;
  const { plan, catalog, translations, ids, signal } = request;
  await copyOnce(site, options, request);
  await cloneState({ sandbox, catalog }, COPY, GIVEN);
  const values = new Map(Object.entries(planParameters(plan, translations)));
  for (const id of upstreamOf(ids, request.members)) await call(sandbox, catalog, id, values);
  signal.throwIfAborted();
  const proven = new Set(ids);
  const verdicts = await proveDatabase({
    tools: { ...site, signal, limits: DEFAULT_LIMITS },
    catalog,
    translations: translations.filter(({ routine }) => proven.has(routine)),
    ordered: true,
    database: GIVEN,
    changes: [],
    values,
    now: new Date(options.clock.now()),
    progress: () => undefined,
  });
  return new Map(verdicts.map((verdict) => [verdict.name, { verdict, unitTests: [] }]));
}

async function copyOnce(
  site: OpenSite,
  { connectSource, readSchema }: ProverOptions,
  { plan, catalog, translations }: ProofRequest,
): Promise<void> {
  if (site.copied === catalog) return;
  site.copied = null;
  await site.sandbox.create(COPY);
  const source = await connectSource();
  try {
    await withSession(site, COPY, (target) =>
      copySource({
        source,
        target,
        readSchema,
        catalog,
        without: plan.settings.target.metadataSchema,
        tables: tablesOf(catalog, translations),
        maxRows: plan.settings.proof.maxRows,
      }),
    );
  } finally {
    await source.close();
  }
  site.copied = catalog;
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

/** One that fails leaves its tables as they are: as it does in the source. */
async function call(
  sandbox: Sandbox,
  catalog: Catalog,
  id: string,
  values: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Promise<void> {
  const routine = catalog.routines.find((candidate) => routineId(candidate) === id);
  if (routine === undefined) return;
  await withSession({ sandbox }, GIVEN, async (session) => {
    await session.query(`SET statement_timeout = ${DEFAULT_LIMITS.procedureMs}`);
    await session.query(callSql(routine, values.get(id) ?? {})).catch((error: unknown) => {
      if (!(error instanceof SqlError) || error.code.startsWith('08')) throw error;
    });
  });
}
