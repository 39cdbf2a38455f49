/** Verifies every table that a plan moved. */
import type { MoveContext } from './move_context.ts';
import type { TableVerdict } from './verify.ts';
import { verifyTable } from './verify.ts';

const ATTEMPTS = 3;
const SETTLE_MS = 3000;

/**
 * Compares all tables. While changes are followed a difference may only be on its way: a table that differs
 * is looked at again, and what stays different is real. STOP ends it.
 */
export async function verifyMove(context: MoveContext): Promise<readonly TableVerdict[]> {
  const { clock, control, source, store, target } = context;
  const verdicts: TableVerdict[] = [];
  const attempts = (await store.stream(target.statements))?.cutover === 'no' ? ATTEMPTS : 1;
  const cancel = () => void Promise.allSettled([source.side.cancel(), target.side.cancel()]);
  control.stopping.addEventListener('abort', cancel);
  try {
    for (const { mapping } of await store.tables(target.statements)) {
      let verdict = await verifyTable(source, target, mapping);
      for (let attempt = 1; attempt < attempts && !verdict.equal; attempt += 1) {
        await control.gate();
        await clock.sleep(SETTLE_MS, control.stopping);
        verdict = await verifyTable(source, target, mapping);
      }
      verdicts.push(verdict);
      await control.gate();
    }
  } finally {
    control.stopping.removeEventListener('abort', cancel);
  }
  return verdicts;
}
