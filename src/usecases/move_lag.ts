/** Measures how far the target is behind, so that whoever asks need not reach the source. */
import type { MoveContext } from './move_context.ts';

const MEASURE_MS = 3000;

/** Goes on until the signal comes. A source that is away keeps what was measured last. */
export async function keepMeasuring(
  { clock, pipelines, plan, source, store, target }: MoveContext,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const stream = await store.stream(target.statements);
      if (stream !== null && stream.cutover !== 'done') {
        await pipelines.measured(target.statements, await source.lag(plan.name, stream.applied));
      }
    } catch {
      // The work itself meets a server that is gone, and says so.
    }
    await clock.sleep(MEASURE_MS, signal);
  }
}
