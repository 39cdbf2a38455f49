/** Sees to it that somebody moves the tables of a plan for as long as a worker lives. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import { isHeld, isLoadOpen } from '../core/lifecycle/pipelines.ts';
import type { PipelineRecord } from '../core/movement/pipeline-record.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata.ts';

export interface TendOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly plan: string;
  /** Moves until the signal comes or something stops it; throws where no worker here can move them. */
  readonly move: (signal: AbortSignal) => Promise<void>;
}

const LOOK_MS = 2_000;
/** Failures in a row, none of which came as far as to be recorded with the pipelines. */
const MOST_FAILURES = 3;

/** Whether there is something to load, or to follow. */
function isMoverNeeded(pipelines: readonly PipelineRecord[]): boolean {
  if (isLoadOpen(pipelines)) return true;
  return pipelines.some(
    (record) => record.follows && !isHeld(record) && record.stream?.cutover !== 'done',
  );
}

/**
 * Moves the plan's tables whenever nobody else does, until the signal comes. One worker moves while
 * it and all others go on with procedures. Throws what kept failing.
 */
export async function tendPipelines(options: TendOptions, signal: AbortSignal): Promise<void> {
  const { metadata, clock, plan, move } = options;
  for (let failures = 0; !signal.aborted;) {
    const pipelines = await metadata.pipelines(plan);
    if (pipelines.length === 0) return;
    const { action } = effectiveAction(await metadata.actions());
    const isFree =
      action !== 'STOP' && isMoverNeeded(pipelines) && !(await metadata.isMoving(plan));
    if (isFree && !signal.aborted) {
      try {
        await move(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures >= MOST_FAILURES) throw error;
      }
    }
    await clock.sleep(LOOK_MS, signal);
  }
}
