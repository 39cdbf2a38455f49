/** A small warehouse, its plan in a git repository, and a worker over them: all but the proof real. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openRepository } from '../../src/adapters/git/repository.ts';
import { openCatalog } from '../../src/adapters/postgres/catalog-reader.ts';
import { openMetadata } from '../../src/adapters/postgres/metadata.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/types.ts';
import type { ProofOutcome, ProofVerdict } from '../../src/core/proof/types.ts';
import type { Metadata } from '../../src/ports/metadata.ts';
import type { RunRepository } from '../../src/ports/repository.ts';
import type { SqlSession } from '../../src/ports/sandbox.ts';
import { bringManualModels } from '../../src/usecases/manual.ts';
import { publish } from '../../src/usecases/finish.ts';
import type { Published } from '../../src/usecases/finish.ts';
import { readSource } from '../../src/usecases/run-source.ts';
import { startRun } from '../../src/usecases/run.ts';
import { watchAction } from '../../src/usecases/watch.ts';
import { batchPhases } from '../../src/usecases/work-phases.ts';
import type { Prove } from '../../src/usecases/work-phases.ts';
import { work } from '../../src/usecases/work.ts';
import type { WorkerEnd } from '../../src/usecases/work.ts';
import { scratchRepository } from '../adapters/git/scratch.ts';
import type { ScratchRepository } from '../adapters/git/scratch.ts';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';

export const NAME = 'sales';

const WAREHOUSE = `
CREATE SCHEMA src; CREATE SCHEMA dw;
CREATE TABLE src.orders (id int PRIMARY KEY, customer int, amount numeric(10,2));
CREATE TABLE dw.orders (id int PRIMARY KEY, amount numeric(10,2));
CREATE TABLE dw.totals (customers bigint, amount numeric);
CREATE TABLE dw.notes (body text);
CREATE PROCEDURE dw.load_orders() LANGUAGE sql AS $$
  TRUNCATE dw.orders;
  INSERT INTO dw.orders SELECT id, amount FROM src.orders; $$;
CREATE PROCEDURE dw.load_totals(p_least numeric DEFAULT 0) LANGUAGE sql AS $$
  TRUNCATE dw.totals;
  INSERT INTO dw.totals SELECT count(*), sum(amount) FROM dw.orders WHERE amount >= p_least; $$;
CREATE PROCEDURE dw.load_notes() LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE (SELECT 'INSERT INTO ' || max(body) FROM dw.notes);
END $$;
`;

export interface PlanRow {
  readonly id: string;
  readonly include?: boolean;
  readonly arguments?: string;
  readonly dependsOn?: string;
}

function planText(rows: readonly PlanRow[]): string {
  return `---
sprocket: 1
name: ${NAME}
source: { dialect: postgres, url: SOURCE_DATABASE_URL }
target: { dialect: postgres, url: TARGET_DATABASE_URL }
production: { project: transform }
---
# The plan

Words of ours.

## Procedures

| Include | Procedure | Arguments | Writes | Depends on | Rating | Status |
|---|---|---|---|---|---|---|
${rows
  .map(
    (row) =>
      `| ${row.include === false ? 'no' : 'yes'} | ${row.id} | ${row.arguments ?? ''} | | ${row.dependsOn ?? ''} | | Pending |`,
  )
  .join('\n')}
`;
}

export interface RunHarness {
  readonly scratch: ScratchRepository;
  readonly metadata: Metadata;
  readonly repository: RunRepository;
  /** Runs SQL in the warehouse. */
  sql(text: string): Promise<void>;
  /** Writes and starts the plan. */
  start(rows: readonly PlanRow[]): Promise<void>;
  /** Works until the worker ends. */
  work(prove?: Prove): Promise<WorkerEnd>;
  publish(): Promise<Published>;
  /** A file of the run's branch. */
  branchFile(path: string): string;
}

/** Registers the hooks of a test file; `harness()` is that of the test that runs. */
export function useRun(): () => RunHarness {
  let server: ScratchServer;
  let current: RunHarness;
  beforeAll(async () => {
    server = await openScratchServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    const url = await server.create('run');
    const scratch = scratchRepository();
    const session = await connectTo(url);
    await session.query(WAREHOUSE);
    current = await openHarness(url, scratch, session);
    return async () => {
      await current.metadata.close();
      await session.close();
      scratch.remove();
    };
  });
  return () => current;
}

const clock = {
  now: () => '2026-07-01T12:00:00.000Z',
  sleep: async (milliseconds: number) => {
    await delay(milliseconds / 100);
  },
};

async function openHarness(
  url: string,
  scratch: ScratchRepository,
  session: SqlSession,
): Promise<RunHarness> {
  const metadata = await openMetadata({ open: () => connectTo(url), schema: 'wirekite', clock });
  const repository = await openRepository(scratch.directory);
  const read = (plan: Plan) => readSource(openCatalog, { setting: 'SOURCE', url }, plan);
  await metadata.migrate();
  return {
    scratch,
    metadata,
    repository,
    sql: async (text) => {
      await session.query(text);
    },
    start: async (rows) => {
      const text = planText(rows);
      const { plan, problems } = parsePlan(text);
      if (plan === null) throw new Error(problems.map(({ message }) => message).join('\n'));
      scratch.write('plan.md', text);
      scratch.commitAll('Plan');
      await startRun({
        metadata,
        clock,
        plan,
        planText: text,
        baseCommit: await repository.resolve('HEAD'),
        catalog: await read(plan),
      });
    },
    work: async (prove = proveAs('proven')) => {
      await bringManualModels(metadata, repository, NAME);
      await metadata.join(NAME);
      const ending = new AbortController().signal;
      const watch = await watchAction(metadata, clock, { ending, onWarning: () => {} });
      const phases = batchPhases({ metadata, plan: NAME, readSource: read, prove });
      try {
        return await work({
          metadata,
          clock,
          watch,
          plan: NAME,
          worker: 'w',
          most: 5,
          together: 1,
          until: null,
          work: phases,
        });
      } finally {
        await watch.close();
      }
    },
    publish: () => publish({ metadata, repository, clock, plan: NAME, planPath: 'plan.md' }),
    branchFile: (path) => scratch.git('show', `sprocket/${NAME}:${path}`),
  };
}

/** A proof that always comes to the same. */
export function proveAs(outcome: ProofOutcome, message = ''): Prove {
  return ({ ids, translations }) => {
    const verdict = (name: string): ProofVerdict => ({
      name,
      outcome,
      models: (translations.find(({ routine }) => routine === name)?.models ?? []).map(
        ({ table }) => table.name,
      ),
      rounds: 3,
      rows: 12,
      seconds: 1,
      reasons: outcome === 'proven' ? [] : [{ line: 2, construct: '', message, advice: '' }],
      differences: [],
      branches: { reached: 0, total: 0 },
      leftOut: [],
    });
    return Promise.resolve(new Map(ids.map((id) => [id, { verdict: verdict(id), unitTests: [] }])));
  };
}
