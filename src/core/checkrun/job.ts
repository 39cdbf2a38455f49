/** What jobs of GitHub Actions have room for. */
import { z } from 'zod';
import type { Plan } from '../plan/types.ts';
import { fitMarkdown } from './fit.ts';
import { MATRIX, STEP_SUMMARY } from './limits.ts';

const tablesSchema = z.object({
  /** Its name. */
  plan: z.string().min(1),
  /** Of the plan in the repository. */
  path: z.string().min(1),
  /** Name of the environment variable with the URL of the database. */
  urlVariable: z.string().min(1),
  schema: z.string().min(1),
});
/** Where the job that starts a run has recorded it: the others need not ask GitHub for the plan. */
export type RunTablesAt = z.output<typeof tablesSchema>;

export function formatTables({ settings }: Plan, path: string): string {
  const { urlVariable, metadataSchema: schema } = settings.target;
  const tables: RunTablesAt = { plan: settings.name, path, urlVariable, schema };
  return JSON.stringify(tables);
}

/** Null where it is none. */
export function parseTables(text: string): RunTablesAt | null {
  try {
    return tablesSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Numbers of the workers that a run starts: as many as the plan says, and never more than have work. */
export function workerNumbers(workers: number, procedures: number): readonly number[] {
  const count = Math.min(workers, MATRIX, Math.max(1, procedures));
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Kept free: what other steps of the runner add. */
const SPARE = 1_024;

/** The summary of a step: the report, under the link to the pull request where there is one. */
export function stepSummaryText(report: string, pullRequest: string | null): string {
  const link = pullRequest === null ? '' : `[Pull request](${pullRequest})\n\n`;
  return fitMarkdown(`${link}${report}`, STEP_SUMMARY - SPARE, '… cut here.');
}
