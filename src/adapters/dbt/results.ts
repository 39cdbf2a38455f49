/** What dbt says of an invocation, checked and in our words. */
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { NodeResult, NodeStatus } from '../../ports/dbt.ts';

const STATUSES: Readonly<Record<string, NodeStatus>> = {
  success: 'success',
  pass: 'pass',
  warn: 'warn',
  fail: 'fail',
  error: 'error',
  'runtime error': 'error',
  skipped: 'skipped',
  'partial success': 'error',
  'no-op': 'skipped',
};

/** One node, as the driver tells it and as `run_results.json` and the manifest have it together. */
const nodeSchema = z.object({
  unique_id: z.string(),
  name: z.string(),
  resource_type: z.string(),
  status: z.string(),
  message: z.string().nullish(),
  failures: z.number().nullish(),
  execution_time: z.number(),
  rows_affected: z.union([z.number(), z.string()]).nullish(),
  compiled_path: z.string().nullish(),
  /** `model.project.name` of the model that a test is about. */
  tested: z.string().nullish(),
});

export type RawNode = z.infer<typeof nodeSchema>;

const eventSchema = z.object({
  level: z.string(),
  name: z.string(),
  message: z.string(),
});

export const answerSchema = z.object({
  id: z.number(),
  success: z.boolean(),
  interrupted: z.boolean(),
  exception: z.string().nullable(),
  exception_type: z.string().nullable(),
  results: z.array(nodeSchema).nullable(),
  events: z.array(eventSchema),
});

export type DbtAnswer = z.infer<typeof answerSchema>;

export const greetingSchema = z.discriminatedUnion('ready', [
  z.object({ ready: z.literal(true), core: z.string(), postgres: z.string().nullable() }),
  z.object({ ready: z.literal(false), error: z.string() }),
]);

/** `target/run_results.json`, the parts that are used. */
export const runResultsSchema = z.object({
  results: z.array(
    z.object({
      unique_id: z.string(),
      status: z.string(),
      message: z.string().nullish(),
      failures: z.number().nullish(),
      execution_time: z.number(),
      adapter_response: z
        .looseObject({ rows_affected: z.union([z.number(), z.string()]).nullish() })
        .nullish(),
    }),
  ),
});

/** `target/manifest.json`, the parts that are used. */
export const manifestSchema = z.object({
  nodes: z.record(
    z.string(),
    z.looseObject({
      name: z.string(),
      resource_type: z.string(),
      compiled_path: z.string().nullish(),
      attached_node: z.string().nullish(),
    }),
  ),
  unit_tests: z
    .record(
      z.string(),
      z.looseObject({
        name: z.string(),
        resource_type: z.string(),
        depends_on: z.looseObject({ nodes: z.array(z.string()) }).nullish(),
      }),
    )
    .nullish(),
});

/** A node in our words; `folder` is where relative paths start. */
export function nodeResult(raw: RawNode, folder: string): NodeResult {
  const path = raw.compiled_path ?? null;
  const isTest = raw.resource_type === 'test' || raw.resource_type === 'unit_test';
  return {
    id: raw.unique_id,
    name: raw.name,
    resource: raw.resource_type,
    model: raw.tested?.split('.')[2] ?? null,
    // A word that dbt has not used before must not pass for success.
    status: STATUSES[raw.status.toLowerCase()] ?? 'error',
    message: raw.message ?? null,
    rows: rowCount(raw.rows_affected),
    failures: isTest ? (raw.failures ?? null) : null,
    seconds: raw.execution_time,
    compiledPath: path === null || isAbsolute(path) ? path : join(folder, path),
  };
}

function rowCount(value: number | string | null | undefined): number | null {
  const count = typeof value === 'string' ? Number.parseInt(value, 10) : value;
  return typeof count === 'number' && Number.isFinite(count) && count >= 0 ? count : null;
}
