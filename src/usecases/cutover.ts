/** Ends a move: drain, verify, constraints, let go of the source. By the worker that follows, else here. */
import { MoveError } from '../core/movement/errors.ts';
import type { MoveContext } from './move_context.ts';
import type { MoveOptions, MoveResult } from './move.ts';
import { runMove } from './move.ts';

const ASK_MS = 500;

/** Resolves when the target stands on its own. Throws `MoveError` where the two sides differ. */
export async function cutOver(
  context: MoveContext,
  options: Omit<MoveOptions, 'goal'>,
): Promise<MoveResult> {
  const { clock, control, events, store, target } = context;
  const stream = await store.stream(target.statements);
  if (stream?.cutover === 'done') return { outcome: 'cut-over', verdicts: [] };
  for (;;) {
    try {
      return await runMove(context, { ...options, goal: 'cutover' });
    } catch (error) {
      if (!(error instanceof MoveError) || error.code !== 'already-running') throw error;
      // Somebody follows: that worker is asked to finish, and watched.
      if ((await store.stream(target.statements))?.cutover === 'no') {
        events.log('another worker follows the changes; it is asked to cut over');
        await store.setCutover(target.statements, 'asked');
      }
      await control.gate();
      await clock.sleep(ASK_MS, control.stopping);
      if ((await store.stream(target.statements))?.cutover === 'done')
        return { outcome: 'cut-over', verdicts: [] };
    }
  }
}
