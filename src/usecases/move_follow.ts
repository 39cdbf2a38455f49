/** Follows the changes of a source until it is asked to end, or until a cutover may begin. */
import { reached } from '../core/movement/position.ts';
import type { ChangeApplier } from './move_apply.ts';
import type { MoveContext } from './move_context.ts';
import type { Extract } from './move_extract.ts';
import { LogMarks } from './move_marks.ts';

/**
 * `drained`: return once the target holds what the source held when the load was done.
 * `cutover`: also verify, add constraints and let go of the source. `forever`: follow until STOP or cutover.
 */
export type MoveGoal = 'drained' | 'forever' | 'cutover';

const IDLE_MS = 200;
const ASK_MS = 1000;

/** Applies changes until the goal is reached. Somebody may ask for a cutover meanwhile. */
export async function followTo(
  wish: MoveGoal,
  context: MoveContext,
  extract: Extract,
  applier: ChangeApplier,
): Promise<'drained' | 'cutover'> {
  const { clock, control, pipelines, source, store, target } = context;
  const marks = new LogMarks(context, extract);
  const asked = cutoverAsked(context);
  // With what the source holds now, the tables are as procedures may read them.
  const first = await source.currentPosition();
  let aim = wish;
  let goal = aim === 'forever' ? null : first;
  let gotOn = false;
  let last = false;
  for (;;) {
    await control.gate();
    await applier.catchUp();
    const moved = await applier.nextFile();
    await marks.write(false);
    const holdsFirst =
      reached(applier.applied(), first) || (applier.drained() && reached(extract.seen(), first));
    if (!gotOn && holdsFirst) {
      await store.forgetStalls(target.statements);
      await pipelines.loaded(target.statements);
      gotOn = true;
    }
    if (!moved && goal !== null && applier.drained() && reached(extract.seen(), goal)) {
      if (aim === 'drained') {
        await marks.write(true);
        return 'drained';
      }
      if (last) return 'cutover';
      // What was written while the first drain went on is drained as well.
      last = true;
      goal = await source.currentPosition();
    } else if (goal === null && (await asked())) {
      aim = 'cutover';
      goal = await source.currentPosition();
    }
    if (!moved) {
      await Promise.race([
        extract.changed(),
        control.changed(),
        clock.sleep(IDLE_MS, control.stopping),
      ]);
    }
  }
}

/** Looks into the target about once a second. */
function cutoverAsked({ clock, store, target }: MoveContext): () => Promise<boolean> {
  let askedAt = 0;
  return async () => {
    const now = Date.parse(clock.now());
    if (now - askedAt < ASK_MS) return false;
    askedAt = now;
    return (await store.stream(target.statements))?.cutover === 'asked';
  };
}
