/** Forgets what a plan moved, so that its next run begins anew. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import { MoveError } from '../core/movement/errors.ts';
import { moveLock } from '../core/movement/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { MoveContext } from './move_context.ts';

/**
 * Empties the tables that were loaded and the progress that speaks of them in one transaction, then lets go of the source.
 * Throws `MoveError` while the action is not STOP or a worker lives; nothing is changed then.
 */
export async function resetMove(
  context: Pick<MoveContext, 'pipelines' | 'plan' | 'source' | 'store' | 'target'>,
): Promise<readonly QualifiedName[]> {
  const { pipelines, plan, source, store, target } = context;
  const { action } = effectiveAction(await store.actions(target.statements));
  if (action !== 'STOP') {
    throw new MoveError(
      'unsafe-reset',
      `The action is ${action}, so workers may start at any moment. Run "sprocket stop" first.`,
    );
  }
  const claim = await target.claim(moveLock(plan.name));
  if (claim === null) {
    throw new MoveError(
      'unsafe-reset',
      `A worker still moves the tables of "${plan.name}". Wait until it has stopped, then reset.`,
    );
  }
  try {
    const tables = (await store.tables(target.statements)).map(({ mapping }) => mapping.target);
    const transaction = await target.begin();
    try {
      await transaction.empty(tables);
      await store.forget(transaction);
      await pipelines.forget(transaction);
      await transaction.commit();
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await source.releaseChanges(plan.name);
    return tables;
  } finally {
    await claim.release();
  }
}
