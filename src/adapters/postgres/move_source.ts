/** PostgreSQL as the source of a move. */
import { objectName } from '../../core/movement/names.ts';
import type { Dialect } from '../../core/movement/model.ts';
import { createEscapeTranslator } from '../../core/movement/wire.ts';
import type { MoveSource } from '../../ports/move.ts';
import { comparedSide } from './checksum.ts';
import { openSnapshot } from './chunks.ts';
import { describeTable } from './describe.ts';
import { follow } from './follow.ts';
import { withSession } from './move_session.ts';
import {
  assertFollowable,
  currentPosition,
  followProblems,
  prepareChanges,
  releaseChanges,
  sourceLag,
} from './replication.ts';

/** `target` decides whether wire text must do without what only COPY can read. */
export function openPostgresSource(url: string, target: Dialect): MoveSource {
  const side = comparedSide(url);
  const describe: MoveSource['describe'] = (name, _, stopping) =>
    withSession(url, stopping, {}, (client) => describeTable(client, name));
  return {
    dialect: 'postgres',
    takesBack: false,
    logsCascades: true,
    describe,
    snapshot: (exact, waiting) =>
      openSnapshot(url, exact, target === 'postgres' ? null : createEscapeTranslator, waiting),
    async prepareChanges(plan, tables, waiting) {
      for (const name of tables) {
        const table = await describe(name, false);
        if (table !== null) assertFollowable(table);
      }
      return prepareChanges(url, plan, tables, waiting);
    },
    logName: (plan) => objectName(plan),
    follow: (plan, from, tables, sink) => follow(url, plan, from, tables, sink),
    currentPosition: () => currentPosition(url),
    lag: (plan, applied) => sourceLag(url, plan, applied),
    followProblems: () => followProblems(url),
    releaseChanges: (plan) => releaseChanges(url, plan),
    side,
    close: () => side.close(),
  };
}
