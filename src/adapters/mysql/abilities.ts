/** MySQL and MariaDB by what they can do. Nowhere else it is asked which of them a server is. */
import type { Connection } from 'mysql2';
import { query } from './move_session.ts';

export interface Abilities {
  /** A snapshot's session tells its place in the binary log, so that no lock is needed. */
  readonly snapshotTellsPosition: boolean;
  /** Statement whose first two columns are the log's current file and offset. */
  readonly positionSql: string;
  /** A JSON column is text with a check that says so. */
  readonly jsonIsCheckedText: boolean;
  /** `COLUMN_DEFAULT` is SQL, texts in quotes; else it is the value itself, and `EXTRA` tells expressions. */
  readonly defaultsAreSql: boolean;
}

const MARIADB: Abilities = {
  snapshotTellsPosition: true,
  positionSql: 'SHOW MASTER STATUS',
  jsonIsCheckedText: true,
  defaultsAreSql: true,
};

const MYSQL: Abilities = {
  snapshotTellsPosition: false,
  positionSql: 'SHOW MASTER STATUS',
  jsonIsCheckedText: false,
  defaultsAreSql: false,
};

/** The first MySQL that knows the newer name of the statement; 8.4 no longer knows the older one. */
const RENAMED = [8, 2] as const;

/** `version` as `SELECT VERSION()` gives it: `8.4.3`, `10.11.19-MariaDB-deb12`. */
export function abilitiesOf(version: string): Abilities {
  if (/mariadb/iu.test(version)) return MARIADB;
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const isRenamed = major > RENAMED[0] || (major === RENAMED[0] && minor >= RENAMED[1]);
  return isRenamed ? { ...MYSQL, positionSql: 'SHOW BINARY LOG STATUS' } : MYSQL;
}

export async function serverAbilities(connection: Connection): Promise<Abilities> {
  const rows = await query(connection, 'SELECT VERSION()');
  return abilitiesOf(rows[0]?.[0] ?? '');
}

/** How a server prints what it can't print as it is. */
const ESCAPES = new Map([
  ['0', '\0'],
  ['n', '\n'],
  ['r', '\r'],
]);

/** The text that a server prints as `printed` between quotes. */
export function unprinted(printed: string): string {
  return printed.replaceAll(/''|\\(.)/gs, (_, escaped?: string) =>
    escaped === undefined ? "'" : (ESCAPES.get(escaped) ?? escaped),
  );
}

/** The constant of a DEFAULT, as text: null for none; `undefined` where it is an expression. */
export function constantDefault(
  { defaultsAreSql }: Abilities,
  text: string | null,
  extra: string,
): string | null | undefined {
  if (text === null) return null;
  if (!defaultsAreSql) return extra.includes('DEFAULT_GENERATED') ? undefined : text;
  if (text === 'NULL') return null;
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return text;
  const quoted = /^'((?:[^']|'')*)'$/s.exec(text);
  return quoted === null ? undefined : unprinted(quoted[1] ?? '');
}
