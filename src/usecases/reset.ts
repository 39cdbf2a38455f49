/** Forgets a run, so that the next one starts from nothing. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import type { Metadata, TableName } from '../ports/metadata.ts';

export type ResetOutcome =
  | { readonly done: true; readonly tables: readonly TableName[] }
  | { readonly done: false; readonly reason: string; readonly advice: string };

/**
 * Empties the plan's progress and the tables that its pipelines load again, together or not at all.
 * The run's branch stays.
 */
export async function reset(
  metadata: Metadata,
  plan: string,
  tables: readonly TableName[],
): Promise<ResetOutcome> {
  const result = await metadata.reset(
    plan,
    tables,
    (words) => effectiveAction(words).action === 'STOP',
  );
  switch (result) {
    case 'done':
      return { done: true, tables };
    case 'not-stopped':
      return {
        done: false,
        reason: 'The action is not STOP, so workers may start at any moment.',
        advice: 'Run "sprocket stop" first.',
      };
    case 'locked':
      return {
        done: false,
        reason: 'A worker still lives or holds a lock.',
        advice: 'Wait until "sprocket status" shows no worker, then try again.',
      };
  }
}
