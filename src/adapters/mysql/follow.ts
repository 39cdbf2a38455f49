/** Reads the log of a source by its row events, in commit order, with the source held back when we are slow. */
import { createHash } from 'node:crypto';
import ZongJi from '@vlasky/zongji';
import { MoveError } from '../../core/movement/errors.ts';
import { parseBinlogPosition } from '../../core/movement/position.ts';
import { serialQueue } from '../../core/movement/serial.ts';
import type { ChangeSink, ChangeStream, FollowedTable } from '../../ports/move.ts';
import { ConnectionLost } from '../../ports/move.ts';
import { cascadesOnto } from './cascades.ts';
import type { FollowedTables, LogEvent, Questions } from './log_events.ts';
import { eventHandler } from './log_events.ts';
import { keepBytes } from './log_texts.ts';
import { classified, connectionOptions, openConnection, query } from './move_session.ts';
import { sameTable } from './sql.ts';

const LASTING = 'SET SESSION wait_timeout = 2000000';

const EVENTS = [
  'rotate',
  'format',
  'tablemap',
  'writerows',
  'updaterows',
  'deleterows',
  'xid',
  'xaprepare',
  'query',
  'gtid',
  'anonymousgtid',
  'previousgtids',
  'mariadbgtid',
  'mariadbgtidlist',
  'binlogcheckpoint',
  'heartbeat',
];

/** Each plan is a replica of its own to the source; a worker that takes over ends its predecessor's session. */
function serverId(plan: string): number {
  const digest = createHash('sha256').update(`sprocket ${plan}`).digest();
  return (digest.readUInt32BE(0) % 0x3fff_ffff) + 0x4000_0000;
}

function logError(error: unknown, from: string): unknown {
  const message = error instanceof Error ? error.message : '';
  if (
    /Could not find first log file|not found in binlog index|impossible position|start replication from position|purged/i.test(
      message,
    )
  ) {
    return new MoveError(
      'position-lost',
      `The source no longer has its log from ${from} on (${message}). Reset the pipelines and load again; ` +
        `make the source keep its binary logs longer first (binlog_expire_logs_seconds).`,
    );
  }
  if (/same server_uuid\/server_id/.test(message))
    return new ConnectionLost('another session follows the source for this plan');
  return classified(error);
}

/** Names for the decoder's filter: what it leaves out costs nothing. */
function schemas({ tables, cascades, ignoresCase }: Wanted): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  const names = [
    ...tables.map(({ mapping }) => mapping.source),
    ...cascades.map(({ parent }) => parent),
  ];
  for (const { schema, name } of names) {
    (out[schema] ??= []).push(name);
    if (ignoresCase) (out[schema.toLowerCase()] ??= []).push(name.toLowerCase());
  }
  return out;
}

type Wanted = FollowedTables & { readonly ignoresCase: boolean };

/** The tables, what changes them besides, and how the server compares their names. */
async function wanted(url: string, tables: readonly FollowedTable[]): Promise<Wanted> {
  const connection = await openConnection(url);
  try {
    const [row] = await query(connection, 'SELECT @@GLOBAL.lower_case_table_names');
    const ignoresCase = row?.[0] !== '0';
    const same = sameTable(ignoresCase);
    const names = tables.map(({ mapping }) => mapping.source);
    const cascades = await cascadesOnto(connection, names, same);
    return { tables, cascades, same, ignoresCase };
  } finally {
    connection.destroy();
  }
}

export async function follow(
  url: string,
  plan: string,
  from: string,
  tables: readonly FollowedTable[],
  sink: ChangeSink,
  questions: Questions,
): Promise<ChangeStream> {
  const start = parseBinlogPosition(from);
  const lookedFor = await wanted(url, tables);
  const zongji = new ZongJi({
    ...connectionOptions(url),
    dateStrings: true,
    timezone: 'Z',
    jsonStrings: true,
  });
  let stopped = false;
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    fail = (error) => {
      if (!stopped) reject(logError(error, from));
    };
  });
  broken.catch(() => undefined);
  // Not in the typings: the session that the log comes on, and another for questions.
  const session = (name: 'connection' | 'ctrlConnection', verb: string, ...rest: unknown[]) => {
    const connection: unknown = Reflect.get(zongji, name);
    if (typeof connection === 'object' && connection !== null) {
      Reflect.apply(Reflect.get(connection, verb), connection, rest);
    }
  };
  const push = serialQueue<LogEvent>({
    handle: eventHandler(lookedFor, sink, from, questions),
    pause: () => session('connection', 'pause'),
    resume: () => session('connection', 'resume'),
    fail: (error) => fail(error),
  });
  zongji.on('binlog', (event) => {
    if (event.getEventName() === 'tablemap') keepBytes(event);
    push(event);
  });
  zongji.on('error', (error: unknown) => fail(error));
  zongji.start({
    filename: start.file,
    position: start.offset,
    serverId: serverId(plan),
    includeEvents: EVENTS,
    includeSchema: schemas(lookedFor),
  });
  // Nothing is asked for hours, and the server ends sessions that are silent for long.
  session('ctrlConnection', 'query', LASTING, (error: unknown) => {
    if (error !== null) fail(error);
  });
  return {
    broken,
    acknowledge: () => undefined,
    async stop() {
      stopped = true;
      zongji.stop();
    },
  };
}
