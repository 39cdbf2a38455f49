/** Forgets a run, so that the next one starts from nothing. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import type { Metadata, TableName } from '../ports/metadata.ts';

export type ResetOutcome =
  | {
      readonly done: true;
      /** Those that were emptied. */
      readonly tables: readonly TableName[];
      /** Why the source still keeps log for the plan, and what to do; null where it does not. */
      readonly left: string | null;
    }
  | { readonly done: false; readonly reason: string; readonly advice: string };

/**
 * Empties the plan's progress and the tables that its pipelines loaded, together or not at all;
 * then the source is let go. The run's branch stays.
 *
 * @param release drops what the source keeps for the plan; null where it keeps nothing
 */
export async function reset(
  metadata: Metadata,
  plan: string,
  release: (() => Promise<void>) | null,
): Promise<ResetOutcome> {
  const result = await metadata.reset(plan, (words) => effectiveAction(words).action === 'STOP');
  switch (result.kind) {
    case 'done':
      return { done: true, tables: result.tables, left: await leftAt(release) };
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

/** Everything is forgotten by now: a source that is away is no reason to say otherwise. */
async function leftAt(release: (() => Promise<void>) | null): Promise<string | null> {
  try {
    await release?.();
    return null;
  } catch (error) {
    return (
      `The source was not let go: ${error instanceof Error ? error.message : String(error)}. ` +
      'It keeps its log for this plan until "sprocket reset" succeeds there: run it again.'
    );
  }
}
