/** The binary log: whether it says enough, where it ends, and how far behind a place in it is. */
import type { Connection } from 'mysql2';
import { MoveError } from '../../core/movement/errors.ts';
import { parseBinlogPosition } from '../../core/movement/position.ts';
import type { SourceLag } from '../../ports/move.ts';
import { serverAbilities } from './abilities.ts';
import { openConnection, query } from './move_session.ts';

const NEEDED: Readonly<Record<string, string>> = {
  log_bin: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
};

export function noLog(): MoveError {
  return new MoveError(
    'not-configured',
    'The source writes no binary log. Start it with log_bin, binlog_format = ROW and binlog_row_metadata = FULL.',
  );
}

/** `file:offset` of the end of the log. */
export async function logPosition(connection: Connection): Promise<string> {
  const { positionSql } = await serverAbilities(connection);
  const rows = await query(connection, positionSql);
  const [file, offset] = rows[0] ?? [];
  if (typeof file !== 'string' || typeof offset !== 'string') throw noLog();
  return `${file}:${offset}`;
}

/** Throws where the log would not say enough; returns where it ends now. */
export async function prepareChanges(url: string): Promise<string> {
  const connection = await openConnection(url);
  try {
    const problem = await settingsProblem(connection);
    if (problem !== null) throw new MoveError('not-configured', problem);
    return await logPosition(connection);
  } finally {
    connection.destroy();
  }
}

async function settingsProblem(connection: Connection): Promise<string | null> {
  const rows = await query(
    connection,
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${Object.keys(NEEDED)
      .map((name) => `'${name}'`)
      .join(', ')})`,
  );
  const found = new Map(rows.map((row) => [row[0] ?? '', row[1] ?? '']));
  const wrong = Object.entries(NEEDED).filter(([name, value]) => found.get(name) !== value);
  return wrong.length === 0
    ? null
    : `The source's binary log does not say enough to be followed. Set ${wrong.map(([name, value]) => `${name} = ${value}`).join(', ')} ` +
        `(SET GLOBAL does for all but log_bin; sessions that are open keep what they had), or load without changes.`;
}

/** Settings of the log, and the right to read it. */
export async function followProblems(url: string): Promise<readonly string[]> {
  const connection = await openConnection(url);
  try {
    const settings = await settingsProblem(connection);
    const grants = (await query(connection, 'SHOW GRANTS')).map((row) => row[0] ?? '');
    const mayRead = grants.some((grant) =>
      /^GRANT .*\b(?:ALL PRIVILEGES|REPLICATION SLAVE|REPLICATION REPLICA)\b.* ON \*\.\*/u.test(
        grant,
      ),
    );
    return [
      ...(settings === null ? [] : [settings]),
      ...(mayRead
        ? []
        : [
            'The user of the source may not read its binary log. Run GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO that user, or load without changes (Mode "load").',
          ]),
    ];
  } finally {
    connection.destroy();
  }
}

export async function currentPosition(url: string): Promise<string> {
  const connection = await openConnection(url);
  try {
    return await logPosition(connection);
  } finally {
    connection.destroy();
  }
}

export async function sourceLag(url: string, applied: string): Promise<SourceLag> {
  const connection = await openConnection(url);
  try {
    const from = parseBinlogPosition(applied);
    const logs = await query(connection, 'SHOW BINARY LOGS');
    const first = logs.findIndex((row) => row[0] === from.file);
    const size = logs
      .slice(Math.max(0, first))
      .reduce((total, row) => total + Number(row[1] ?? 0), 0);
    return {
      bytes: Math.max(0, size - (first === -1 ? 0 : from.offset)),
      retainedBytes: null,
      status: first === -1 ? 'lost' : null,
    };
  } finally {
    connection.destroy();
  }
}
