/** What a worker works with: a sandbox, dbt, and the phases over them. */
import { join } from 'node:path';
import { createDbtRunner } from '../adapters/dbt/runner.ts';
import { openWorkspace } from '../adapters/files/workspace.ts';
import { openCatalog } from '../adapters/postgres/catalog-reader.ts';
import { connect } from '../adapters/postgres/connection.ts';
import { readSchemaScript } from '../adapters/postgres/schema-script.ts';
import { openSandbox } from '../adapters/sandbox/open.ts';
import { systemClock } from '../adapters/system/clock.ts';
import type { Plan } from '../core/plan/types.ts';
import type { Metadata } from '../ports/metadata.ts';
import { readRecordedRun } from '../usecases/run-knowledge.ts';
import { sourceProver } from '../usecases/run-proof.ts';
import type { ProofSite } from '../usecases/run-proof.ts';
import { readSource } from '../usecases/run-source.ts';
import { batchPhases } from '../usecases/work-phases.ts';
import type { BatchWork } from '../usecases/work.ts';
import { databaseAddress } from './session.ts';

/** Names the server that the workers of one `sprocket run` share. */
const SANDBOX_VARIABLE = 'SPROCKET_SANDBOX_URL';
const MAINTENANCE_DATABASE = 'postgres';

export interface WorkSandbox {
  /** What worker processes need in their environment to use it too. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** One server for all workers: the one that the plan names, else an embedded one. */
export async function openWorkSandbox({ settings }: Plan): Promise<WorkSandbox> {
  if (settings.sandbox !== null) {
    const { url } = databaseAddress(settings.sandbox.urlVariable);
    return { environment: { [SANDBOX_VARIABLE]: url }, close: () => Promise.resolve() };
  }
  const sandbox = await openSandbox(null);
  const { host, port, user, password } = sandbox.parameters(MAINTENANCE_DATABASE);
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const url = `postgresql://${login}@${host}:${port}/${MAINTENANCE_DATABASE}`;
  return { environment: { [SANDBOX_VARIABLE]: url }, close: () => sandbox.close() };
}

export interface Engine {
  readonly work: BatchWork;
  close(): Promise<void>;
}

/** Opens nothing yet: the first proof does. */
export async function openEngine(metadata: Metadata, name: string): Promise<Engine> {
  const { parsed } = await readRecordedRun(metadata, name);
  const source = databaseAddress(parsed.settings.source.urlVariable);
  const target = databaseAddress(parsed.settings.target.urlVariable);
  const prover = sourceProver({
    openSite,
    connectSource: () => connect(source, { readOnly: true }),
    connectTarget: () => connect(target, { readOnly: true }),
    readSchema: readSchemaScript,
    clock: systemClock,
  });
  const work = batchPhases({
    metadata,
    plan: name,
    readSource: (plan) => readSource(openCatalog, source, plan),
    prove: prover.prove,
  });
  return { work, close: () => prover.close() };
}

async function openSite(): Promise<ProofSite> {
  return {
    sandbox: await openSandbox(process.env[SANDBOX_VARIABLE] ?? null),
    dbt: createDbtRunner({ env: process.env, roots: [process.cwd(), ROOT] }),
    workspace: await openWorkspace(),
  };
}

/** Where this program is installed: its own `.venv` is there. */
export const ROOT = join(import.meta.dirname, '..', '..');
