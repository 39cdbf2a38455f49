/** Reads the log of a source by `pgoutput`, in commit order, with the source held back when we are slow. */
import { z } from 'zod';
import { qualified } from '../../core/catalog/names.ts';
import { schemaChanged } from '../../core/movement/errors.ts';
import type { LoggedRow, RowEncoder } from '../../core/movement/row.ts';
import { rowEncoder } from '../../core/movement/row.ts';
import { objectName } from '../../core/movement/names.ts';
import type { PgMessage, PgRelation } from '../../core/movement/pgoutput.ts';
import { decodePgMessage } from '../../core/movement/pgoutput.ts';
import { lsnText, positionOrder } from '../../core/movement/position.ts';
import { serialQueue } from '../../core/movement/serial.ts';
import type { ChangeSink, ChangeStream, FollowedTable } from '../../ports/move.ts';
import { ConnectionLost } from '../../ports/move.ts';
import { classified, drop, openClient, query } from './move_session.ts';
import { streamError } from './replication.ts';
import { ident, tableName } from './sql.ts';

const STATUS_EVERY_MS = 250;
const XLOG_DATA = 0x77;
const KEEPALIVE = 0x6b;
/** 1970 to 2000 in milliseconds: PostgreSQL's clock starts in 2000. */
const EPOCH_MS = 946_684_800_000;

const connectionSchema = z.object({
  on: z.function(),
  stream: z.object({ pause: z.function(), resume: z.function() }),
  sendCopyFromChunk: z.function(),
});

type RowMessage = Extract<PgMessage, { tag: 'insert' | 'update' | 'delete' }>;

interface Known {
  readonly table: FollowedTable | undefined;
  readonly encoder: RowEncoder | null;
}

/** The part of node-postgres that its typings leave out: the raw stream of a replication session. */
function rawConnection(client: object) {
  const connection: unknown = Reflect.get(client, 'connection');
  connectionSchema.parse(connection);
  const target = Object(connection);
  return {
    onCopyData: (listener: (message: { chunk: Buffer }) => void) =>
      Reflect.apply(Reflect.get(target, 'on'), target, ['copyData', listener]),
    send: (bytes: Buffer) =>
      Reflect.apply(Reflect.get(target, 'sendCopyFromChunk'), target, [bytes]),
    pause: () => {
      const stream = Reflect.get(target, 'stream');
      Reflect.apply(Reflect.get(stream, 'pause'), stream, []);
    },
    resume: () => {
      const stream = Reflect.get(target, 'stream');
      Reflect.apply(Reflect.get(stream, 'resume'), stream, []);
    },
  };
}

/** Standby status: `lsn` is the first byte that is still needed, so nothing is added to it. */
function statusMessage(lsn: bigint, now: number): Buffer {
  const message = Buffer.alloc(34);
  message.write('r', 0);
  for (const at of [1, 9, 17]) message.writeBigUInt64BE(lsn, at);
  message.writeBigInt64BE(BigInt(now - EPOCH_MS) * 1000n, 25);
  // Asks for an answer: it says how far the log was read, which an idle source tells nobody otherwise.
  message.writeUInt8(1, 33);
  return message;
}

export async function follow(
  url: string,
  plan: string,
  from: string,
  tables: readonly FollowedTable[],
  sink: ChangeSink,
): Promise<ChangeStream> {
  const client = await openClient(url, {
    replication: true,
    label: `sprocket ${plan}`.slice(0, 63),
  });
  const raw = rawConnection(client);
  let stopped = false;
  let durable = positionOrder(from);
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch(() => undefined);

  const handle = messageHandler(tables, await numbersOf(url, plan, tables), sink);
  const push = serialQueue<Buffer>({
    handle,
    pause: raw.pause,
    resume: raw.resume,
    fail: (error) => fail(error),
  });
  raw.onCopyData(({ chunk }) => {
    if (!stopped) push(chunk);
  });
  client.on('end', () => {
    if (!stopped) fail(new ConnectionLost('the source ended the replication session'));
  });
  client
    .query(
      `START_REPLICATION SLOT ${ident(objectName(plan))} LOGICAL ${from} ` +
        `(proto_version '1', publication_names '${objectName(plan)}')`,
    )
    .catch((error: unknown) => {
      if (!stopped) fail(streamError(classified(error), plan));
    });

  const timer = setInterval(() => raw.send(statusMessage(durable, Date.now())), STATUS_EVERY_MS);
  return {
    broken,
    acknowledge(position) {
      const order = positionOrder(position);
      if (order > durable) durable = order;
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await drop(client);
    },
  };
}

/** Each table by the number that the server gives it, which it keeps under another name. */
async function numbersOf(
  url: string,
  plan: string,
  tables: readonly FollowedTable[],
): Promise<ReadonlyMap<number, FollowedTable>> {
  const client = await openClient(url);
  try {
    const out = new Map<number, FollowedTable>();
    for (const table of tables) {
      const rows = await query(
        client,
        `SELECT c::oid, NOT EXISTS (SELECT 1 FROM pg_publication p WHERE pubname = ?
                                     AND NOT EXISTS (SELECT 1 FROM pg_publication_rel WHERE prpubid = p.oid AND prrelid = c))
           FROM to_regclass(?) c WHERE c IS NOT NULL`,
        [objectName(plan), tableName(table.mapping.source)],
      );
      const [number, published] = rows[0] ?? [];
      // A publication holds on to its tables, whatever their names become.
      if (published === 'f')
        throw schemaChanged(
          table.mapping.source,
          'dropped or renamed, and another put in its place',
        );
      out.set(Number(number ?? 0), table);
    }
    return out;
  } finally {
    await client.end();
  }
}

function messageHandler(
  tables: readonly FollowedTable[],
  numbers: ReadonlyMap<number, FollowedTable>,
  sink: ChangeSink,
) {
  const relations = new Map<number, Known>();
  let open = false;

  const learn = async (id: number, table: FollowedTable, names: readonly string[]) => {
    const mapping = await sink.columns(table.number, names);
    relations.set(id, { table, encoder: rowEncoder(mapping, names) });
  };
  const relation = (described: PgRelation): void | Promise<void> => {
    const table = tables.find(
      ({ mapping }) =>
        mapping.source.schema === described.schema && mapping.source.name === described.name,
    );
    if (table === undefined) {
      const renamed = numbers.get(described.id);
      if (renamed !== undefined)
        return sink.ddl(renamed.number, `renamed (${qualified(described)})`);
      relations.set(described.id, { table, encoder: null });
      return undefined;
    }
    const names = described.columns.map((column) => column.name);
    return learn(described.id, table, names);
  };

  const row = (message: RowMessage, known: Known): void | Promise<void> => {
    const { table, encoder } = known;
    if (table === undefined || encoder === null) return undefined;
    switch (message.tag) {
      case 'insert':
        return sink.change(table.number, 'insert', null, encoder.row(message.row));
      case 'delete':
        return sink.change(table.number, 'delete', encoder.identity(message.old), null);
      default: {
        const { old } = message;
        // With REPLICA IDENTITY FULL the old row has what the new one leaves out.
        const whole: LoggedRow =
          old !== null && message.oldKind === 'full'
            ? message.row.map((value, index) => (value === undefined ? old[index] : value))
            : message.row;
        const identity = old === null ? null : encoder.identity(old);
        return sink.change(table.number, 'update', identity, encoder.row(whole));
      }
    }
  };

  const data = (message: PgMessage): void | Promise<void> => {
    switch (message.tag) {
      case 'begin':
        open = true;
        return sink.begin(lsnText(message.finalLsn), message.time);
      case 'commit':
        open = false;
        return sink.commit(lsnText(message.endLsn));
      case 'relation':
        return relation(message.relation);
      case 'truncate':
        for (const id of message.relations) {
          const table = relations.get(id)?.table;
          if (table !== undefined) sink.truncate(table.number);
        }
        return undefined;
      case 'other':
        return undefined;
      default: {
        const known = relations.get(message.relation);
        if (known === undefined)
          throw new RangeError(`a change of the unknown relation ${message.relation}`);
        return row(message, known);
      }
    }
  };

  return (chunk: Buffer): void | Promise<void> => {
    if (chunk[0] === XLOG_DATA) return data(decodePgMessage(chunk.subarray(25)));
    if (chunk[0] === KEEPALIVE && !open) sink.idle(lsnText(chunk.readBigUInt64BE(1)));
    return undefined;
  };
}
