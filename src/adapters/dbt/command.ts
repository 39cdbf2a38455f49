/** dbt as a command, one process for each invocation: where its Python can't be used from inside. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { DbtError } from '../../ports/dbt.ts';
import type { DriverRequest, DriverVersions } from './driver.ts';
import { manifestSchema, runResultsSchema } from './results.ts';
import type { DbtAnswer, RawNode } from './results.ts';

const FORCE_KILL_MS = 6_000;

const logLineSchema = z.object({
  info: z.object({ level: z.string(), name: z.string(), msg: z.string() }),
});

/** `dbt --version` in its forms: `installed: 1.11.16`, `dbt-fusion 2.0.0`, `dbt 2.0.0`. */
export async function commandVersions(
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<DriverVersions | null> {
  const result = await execa(command, ['--version'], {
    env,
    extendEnv: false,
    reject: false,
    all: true,
    timeout: 60_000,
  });
  const text = result.all ?? '';
  const core = /(?:installed:|dbt(?:-fusion|-core)?)\s+v?(\d+\.\d+[\w.-]*)/u.exec(text)?.[1];
  if (core === undefined) return null;
  return { core, postgres: /postgres:\s+(\d+\.\d+[\w.-]*)/u.exec(text)?.[1] ?? null };
}

/** Runs one invocation and reads its artifacts from the target folder. */
export async function runCommand(
  command: string,
  request: DriverRequest & { readonly targetPath: string; readonly signal: AbortSignal },
  baseEnv: Readonly<Record<string, string>>,
): Promise<DbtAnswer> {
  const resultsPath = join(request.targetPath, 'run_results.json');
  await rm(resultsPath, { force: true });
  const result = await execa(command, [...request.args, '--log-format', 'json'], {
    env: { ...baseEnv, ...request.env },
    extendEnv: false,
    reject: false,
    all: true,
    cancelSignal: request.signal,
    killSignal: 'SIGINT',
    forceKillAfterDelay: FORCE_KILL_MS,
    ...(request.timeoutMs === null ? {} : { timeout: request.timeoutMs }),
  });
  if (result.timedOut) {
    throw new DbtError(
      'timeout',
      `dbt was stopped after ${String((request.timeoutMs ?? 0) / 1000)} s`,
      'Give it more time, or look in the database for what it waited for.',
    );
  }
  const events = eventsOf(result.all ?? '');
  const results = await readResults(resultsPath, join(request.targetPath, 'manifest.json'));
  const errors = events.filter(({ level }) => level === 'error');
  const failed = results === null && result.exitCode !== 0;
  return {
    id: 0,
    success: result.exitCode === 0,
    interrupted: result.isCanceled,
    exception: failed ? lastWords(errors, result.all ?? '') : null,
    exception_type: null,
    results,
    events,
  };
}

function lastWords(errors: DbtAnswer['events'], output: string): string {
  const messages = errors.map(({ message }) => message).join('\n');
  return messages === '' ? output.slice(-2_000) : messages;
}

function eventsOf(output: string): DbtAnswer['events'] {
  return output.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    let content: unknown;
    try {
      content = JSON.parse(line);
    } catch {
      return [];
    }
    const parsed = logLineSchema.safeParse(content);
    if (!parsed.success) return [];
    const { level, name, msg } = parsed.data.info;
    return level === 'warn' || level === 'error' ? [{ level, name, message: msg }] : [];
  });
}

async function readResults(resultsPath: string, manifestPath: string): Promise<RawNode[] | null> {
  const text = await readFile(resultsPath, 'utf8').catch(() => null);
  if (text === null) return null;
  const { results } = runResultsSchema.parse(JSON.parse(text));
  const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestPath, 'utf8')));
  return results.map((result) => {
    const node = manifest.nodes[result.unique_id];
    const unitTest = manifest.unit_tests?.[result.unique_id];
    const found = node ?? unitTest;
    return {
      unique_id: result.unique_id,
      name: found?.name ?? result.unique_id.split('.').at(-1) ?? result.unique_id,
      resource_type: found?.resource_type ?? result.unique_id.split('.')[0] ?? 'unknown',
      status: result.status,
      message: result.message ?? null,
      failures: result.failures ?? null,
      execution_time: result.execution_time,
      rows_affected: result.adapter_response?.rows_affected ?? null,
      compiled_path: node?.compiled_path ?? null,
      tested: node?.attached_node ?? unitTest?.depends_on?.nodes[0] ?? null,
    };
  });
}
