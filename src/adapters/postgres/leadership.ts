/** Who reports a run's progress: a lock that dies with its holder says which process. */
import type { Leadership } from '../../ports/metadata.ts';
import type { SqlSession } from '../../ports/sandbox.ts';
import { tryLock } from './lock.ts';

/** The session is closed with it. */
export function openLeadership(session: SqlSession, schema: string, plan: string): Leadership {
  let held = false;
  return {
    async holds() {
      held ||= await tryLock(session, `${schema}/${plan}/report`);
      return held;
    },
    close: () => session.close(),
  };
}
