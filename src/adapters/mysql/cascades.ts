/**
 * Foreign keys that change rows by themselves (CASCADE, SET NULL): the server does that below its log, which tells only
 * what was done to the other table. So that one is watched, whether it is followed or not.
 */
import type { Connection } from 'mysql2';
import { qualified } from '../../core/catalog/names.ts';
import type { QualifiedName } from '../../core/catalog/types.ts';
import { MoveError } from '../../core/movement/errors.ts';
import { query } from './move_session.ts';
import type { SameTable } from './sql.ts';

export interface Cascade {
  /** Whose rows change. */
  readonly child: QualifiedName;
  readonly parent: QualifiedName;
  /** Of the parent. */
  readonly columns: readonly string[];
  readonly onDelete: string;
  readonly onUpdate: string;
}

const ACTING = `IN ('CASCADE', 'SET NULL', 'SET DEFAULT')`;
const CASCADES = `
  SELECT k.CONSTRAINT_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME,
         r.DELETE_RULE, r.UPDATE_RULE
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
   WHERE k.TABLE_SCHEMA = ? AND k.TABLE_NAME = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL
     AND (r.DELETE_RULE ${ACTING} OR r.UPDATE_RULE ${ACTING})
   ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;

/** What may change rows of `tables`, also over tables between. */
export async function cascadesOnto(
  connection: Connection,
  tables: readonly QualifiedName[],
  same: SameTable,
): Promise<readonly Cascade[]> {
  const found: Cascade[] = [];
  const reached = [...tables];
  for (const child of reached) {
    for (const cascade of await cascadesOf(connection, child)) {
      found.push(cascade);
      if (!reached.some((table) => same(table, cascade.parent))) reached.push(cascade.parent);
    }
  }
  return found;
}

async function cascadesOf(
  connection: Connection,
  child: QualifiedName,
): Promise<readonly Cascade[]> {
  const rows = await query(connection, CASCADES, [child.schema, child.name]);
  return [...Map.groupBy(rows, (row) => row[0]).values()].map((parts): Cascade => {
    const [, schema, name, , onDelete, onUpdate] = parts[0] ?? [];
    return {
      child,
      parent: { schema: schema ?? '', name: name ?? '' },
      columns: parts.map((part) => part[3] ?? ''),
      onDelete: onDelete ?? '',
      onUpdate: onUpdate ?? '',
    };
  });
}

const acts = (rule: string) => rule === 'CASCADE' || rule.startsWith('SET ');

/** A session without `foreign_key_checks` says so with its rows: then nothing follows from them. */
const UNCHECKED = 2;

/** Compares the tables of a log with those whose rows other rows hang on. */
export class CascadeWatch {
  readonly #cascades: readonly Cascade[];
  readonly #same: SameTable;
  /** By the number that the log gives a table. */
  readonly #watched = new Map<number, readonly Cascade[]>();

  constructor(cascades: readonly Cascade[], same: SameTable) {
    this.#cascades = cascades;
    this.#same = same;
  }

  learn(id: number, table: QualifiedName): void {
    const own = this.#cascades.filter(({ parent }) => this.#same(parent, table));
    if (own.length === 0) this.#watched.delete(id);
    else this.#watched.set(id, own);
  }

  watches(id: number): boolean {
    return this.#watched.has(id);
  }

  /** Throws where rows of a followed table may have changed with these. */
  check(id: number, kind: string, flags: number, rows: readonly unknown[]): void {
    if ((flags & UNCHECKED) !== 0) return;
    for (const cascade of this.#watched.get(id) ?? []) {
      if (kind === 'deleterows' && acts(cascade.onDelete))
        throw unlogged(cascade, 'deleted', `ON DELETE ${cascade.onDelete}`);
      if (
        kind === 'updaterows' &&
        acts(cascade.onUpdate) &&
        rows.some((row) => changes(row, cascade.columns))
      )
        throw unlogged(cascade, 'given another key', `ON UPDATE ${cascade.onUpdate}`);
    }
  }
}

function changes(row: unknown, columns: readonly string[]): boolean {
  const value = (side: string, name: string) =>
    String(Reflect.get(Object(Reflect.get(Object(row), side)), name));
  return columns.some((name) => value('before', name) !== value('after', name));
}

function unlogged({ child, parent }: Cascade, done: string, action: string): MoveError {
  const table = qualified(child);
  return new MoveError(
    'sides-differ',
    `Rows of ${qualified(parent)} were ${done}, and with them maybe rows of ${table} (${action}), which the source's log ` +
      `does not tell. Everything before that is applied. Reset the pipelines and load again when no more such rows are ${done}, ` +
      `or load without changes (Mode "load").`,
    table,
  );
}
