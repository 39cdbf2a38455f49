/** MySQL or MariaDB as the source of a move. */
import type { QualifiedName } from '../../core/catalog/types.ts';
import type { Dialect } from '../../core/movement/model.ts';
import { parseBinlogPosition } from '../../core/movement/position.ts';
import type { MoveSource } from '../../ports/move.ts';
import { readCharacters } from './characters.ts';
import type { Characters } from './characters.ts';
import { comparedSide } from './checksum.ts';
import { openSnapshot } from './chunks.ts';
import { describeTable } from './describe.ts';
import { follow } from './follow.ts';
import type { CharactersOf } from './log_texts.ts';
import { withSession } from './move_session.ts';
import { currentPosition, followProblems, prepareChanges, sourceLag } from './replication.ts';

/** Each character set is asked for until there is an answer. */
function charactersAt(url: string): CharactersOf {
  const asked = new Map<string, Promise<Characters>>();
  return (charset) => {
    const known = asked.get(charset);
    if (known !== undefined) return known;
    const asking = withSession(url, undefined, (connection) => readCharacters(connection, charset));
    asked.set(charset, asking);
    asking.catch(() => asked.delete(charset));
    return asking;
  };
}

/** Its lines are read alike by every target. */
export function openMysqlSource(url: string, _target: Dialect): MoveSource {
  const side = comparedSide(url);
  const describe = (name: QualifiedName, inspect: boolean, stopping?: AbortSignal) =>
    withSession(url, stopping, (connection) => describeTable(connection, name, inspect));
  return {
    dialect: 'mysql',
    takesBack: true,
    logsCascades: false,
    describe,
    snapshot: (exact) => openSnapshot(url, exact),
    prepareChanges: () => prepareChanges(url),
    logName: (_, position) => parseBinlogPosition(position).file,
    follow: (plan, from, tables, sink) =>
      follow(url, plan, from, tables, sink, {
        namesNow: async ({ source }) =>
          ((await describe(source, false))?.columns ?? []).map((column) => column.name),
        charactersOf: charactersAt(url),
      }),
    currentPosition: () => currentPosition(url),
    lag: (_, applied) => sourceLag(url, applied),
    followProblems: () => followProblems(url),
    // The log is the server's own; nothing of it was kept for us.
    releaseChanges: async () => undefined,
    side,
    close: () => side.close(),
  };
}
