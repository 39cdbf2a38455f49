/** From the columns of a source table to the way that each one travels. */
import { qualified } from '../../catalog/names.ts';
import type { Dialect, MovedColumn, MovedTable, Pipeline, TableMapping } from '../model.ts';
import { MoveError } from '../errors.ts';
import { MYSQL_TO_POSTGRES } from './mysql_to_postgres.ts';
import { POSTGRES_TO_MYSQL } from './postgres_to_mysql.ts';
import type { RuleContext, TypeRule } from './rule.ts';
import { ruleFor, toMapping } from './rule.ts';
import { MYSQL_TO_MYSQL, POSTGRES_TO_POSTGRES } from './same.ts';

/** The type table of each direction: `TYPE_TABLES[source][target]`. */
export const TYPE_TABLES: Readonly<
  Record<Dialect, Readonly<Record<Dialect, readonly TypeRule[]>>>
> = {
  postgres: { postgres: POSTGRES_TO_POSTGRES, mysql: POSTGRES_TO_MYSQL },
  mysql: { postgres: MYSQL_TO_POSTGRES, mysql: MYSQL_TO_MYSQL },
};

const TEXTUAL = ['text', 'character varying', 'character', 'citext', 'name', 'bytea', 'xml'];
const MYSQL_NAME_LENGTH = 64;

export interface MapContext extends Omit<RuleContext, 'indexedBytes'> {
  readonly source: Dialect;
  readonly target: Dialect;
}

/** What InnoDB indexes at most, and what a column takes of it that is neither text nor binary: the largest is a uuid. */
const INDEX_BYTES = 3072;
const PLAIN_BYTES = 40;

/** Bytes for `column` in the narrowest key or index that it is part of; null where it is in none. */
function indexedBytes(
  table: MovedTable,
  key: readonly string[],
  column: MovedColumn,
): number | null {
  const isText = (name: string) =>
    table.columns.some(
      (candidate) =>
        candidate.name === name &&
        (TEXTUAL.includes(candidate.baseType) || candidate.kind === 'enum'),
    );
  const groups = [key, ...table.indexes.map((index) => index.columns)].filter((columns) =>
    columns.includes(column.name),
  );
  const room = (columns: readonly string[]) => {
    const texts = columns.filter(isText).length;
    return Math.floor((INDEX_BYTES - (columns.length - texts) * PLAIN_BYTES) / Math.max(1, texts));
  };
  return groups.length === 0 ? null : Math.min(...groups.map(room));
}

/** A generated column is computed again where the target speaks the source's dialect. */
function generated(table: MovedTable, column: MovedColumn, pipeline: Pipeline, same: boolean) {
  if (column.generatedSql === null || same) return column.generatedSql;
  if (pipeline.follow) {
    throw new MoveError(
      'unsupported-type',
      `${qualified(table.name)}.${column.name} is a generated column, which the source's log does not ` +
        `carry. Load the table without changes (Mode "load"), or make it an ordinary column.`,
      qualified(table.name),
    );
  }
  return null;
}

/**
 * How every column of `table` travels to the target of `pipeline`.
 * Throws `MoveError` for a column whose type has no counterpart, or a name that the target can't hold.
 */
export function mapTable(table: MovedTable, pipeline: Pipeline, context: MapContext): TableMapping {
  const rules = TYPE_TABLES[context.source][context.target];
  const name = qualified(table.name);
  const key = pipeline.key.length > 0 ? pipeline.key : table.key;
  for (const column of key) {
    if (!table.columns.some((candidate) => candidate.name === column)) {
      throw new MoveError(
        'no-key',
        `${name} has no column ${column}, which the plan names as key.`,
        name,
      );
    }
  }
  const same = context.source === context.target;
  const columns = table.columns.map((column) => {
    if (context.target === 'mysql' && column.name.length > MYSQL_NAME_LENGTH) {
      throw new MoveError(
        'unsupported-type',
        `${name}.${column.name} has more than the ${MYSQL_NAME_LENGTH} characters that the target allows in a name. Rename it at the source.`,
        name,
      );
    }
    const travel = ruleFor(rules, column)?.travel(column, {
      ...context,
      // No part of a key can be NULL.
      zeroDates: key.includes(column.name) ? 'error' : context.zeroDates,
      indexedBytes: indexedBytes(table, key, column),
    });
    if (travel === undefined || travel === null) {
      throw new MoveError(
        'unsupported-type',
        `${name}.${column.name} has the type ${column.type}, which has no counterpart in the target. ` +
          `Give it another type at the source, or leave the table out: views are not moved.`,
        name,
      );
    }
    return {
      ...toMapping(column, travel),
      generatedSql: generated(table, column, pipeline, same),
    };
  });
  return {
    source: table.name,
    target: pipeline.target,
    columns,
    key,
    keyIsPrimary: pipeline.key.length > 0 ? true : table.keyIsPrimary,
    indexes: same
      ? table.indexes
      : table.indexes
          .filter((index) => index.columns.length > 0)
          .map((index) => ({ ...index, definition: null })),
    foreignKeys: table.foreignKeys,
  };
}

/** The columns whose values are moved: all but those that the target computes itself. */
export function movedColumns(mapping: TableMapping): TableMapping['columns'] {
  return mapping.columns.filter((column) => column.generatedSql === null);
}

/** Puts a quoted column, or a value, into a template. By a function: a name may hold `$&`, or `{v}`. */
export function fill(template: string, column: string): string {
  return template.replaceAll(/\{[cv]\}/g, () => column);
}
