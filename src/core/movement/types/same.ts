/** Within one dialect a type stays what it is; what differs is how its values travel as text. */
import type { MovedColumn } from '../model.ts';
import type { TypeRule } from './rule.ts';
import { MYSQL_HEX, MYSQL_TEXT, unreadable } from './sql.ts';

const ESCAPED_PG = [
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
  'date',
  'uuid',
  'timestamp without time zone',
  'timestamp with time zone',
];

export const POSTGRES_TO_POSTGRES: readonly TypeRule[] = [
  {
    from: 'built-in types, their arrays and ranges, domains over them',
    to: 'the same type; a domain becomes its base type',
    note: 'every value travels as the text that PostgreSQL prints, which it reads back exactly',
    baseTypes: (column) =>
      column.kind === 'base' || column.kind === 'array' || column.kind === 'range',
    travel: (column, context) =>
      column.kind !== 'base' && !context.targetHasType(column.type)
        ? null
        : {
            type: column.type,
            escape: !ESCAPED_PG.includes(column.baseType),
            compareSource: '{c}::text',
            compareTarget: '{c}::text',
          },
  },
  {
    from: 'enum types',
    to: 'the same type, created in the target where it is missing',
    note: '',
    baseTypes: (column) => column.kind === 'enum',
    travel: (column) => ({
      type: column.type,
      escape: true,
      compareSource: '{c}::text',
      compareTarget: '{c}::text',
    }),
  },
  {
    from: 'composite types, types of extensions',
    to: 'the same type, if the target has it',
    note: 'else refused at planning',
    baseTypes: () => true,
    travel: (column, context) =>
      context.targetHasType(column.type)
        ? {
            type: column.type,
            escape: true,
            compareSource: '{c}::text',
            compareTarget: '{c}::text',
          }
        : null,
  },
];

const BINARY = ['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'];
const TEXT = [
  'char',
  'varchar',
  'tinytext',
  'text',
  'mediumtext',
  'longtext',
  'enum',
  'set',
  'json',
];

function withCharset(column: MovedColumn): string {
  return column.charset === null || column.baseType === 'json'
    ? column.type
    : `${column.type} CHARACTER SET ${column.charset} COLLATE ${column.collation ?? 'DEFAULT'}`;
}

export const MYSQL_TO_MYSQL: readonly TypeRule[] = [
  {
    from: 'geometry, vector',
    to: 'refused at planning',
    note: 'the binary log decoder does not give their bytes',
    baseTypes: [
      'geometry',
      'point',
      'linestring',
      'polygon',
      'multipoint',
      'multilinestring',
      'multipolygon',
      'geometrycollection',
      'vector',
    ],
    travel: () => null,
  },
  {
    from: 'binary(n), varbinary(n), blob of any size',
    to: 'the same type',
    note: 'as hexadecimal on the way',
    baseTypes: BINARY,
    travel: (column) => ({
      type: column.type,
      write: 'UNHEX({v})',
      convert: 'blob-hex',
      argument: column.baseType === 'binary' ? String(column.length ?? 1) : '0',
      compareSource: MYSQL_HEX,
      compareTarget: MYSQL_HEX,
    }),
  },
  {
    from: 'bit(n)',
    to: 'bit(n)',
    note: '',
    baseTypes: ['bit'],
    travel: (column) => ({
      type: column.type,
      read: `LPAD(CONV({c} + 0, 10, 2), ${column.length ?? 1}, '0')`,
      write: 'CAST(CONV({v}, 2, 10) AS UNSIGNED)',
      convert: 'bits',
      argument: String(column.length ?? 1),
      compareSource: '{c} + 0',
      compareTarget: '{c} + 0',
    }),
  },
  {
    from: 'float',
    to: 'float',
    note: 'read as a double: MySQL prints only 6 digits of a float',
    baseTypes: ['float', 'float unsigned'],
    travel: (column) => ({
      type: column.type,
      read: 'CAST({c} AS DOUBLE)',
      compareTarget: 'CAST({c} AS DOUBLE)',
    }),
  },
  {
    from: 'char, varchar, text of any size, enum, set, json',
    to: 'the same type, character set and collation',
    note: 'as utf8mb4 on the way; bytes that stand for no character are an error',
    baseTypes: TEXT,
    travel: (column) => ({
      type: withCharset(column),
      escape: true,
      compareSource: MYSQL_TEXT,
      compareTarget: MYSQL_TEXT,
      refuses: unreadable(column),
    }),
  },
  {
    from: 'year',
    to: 'year',
    note: '',
    baseTypes: ['year'],
    travel: (column) => ({
      type: column.type,
      convert: 'year',
      // Written as a string, 0 would be the year 2000.
      argument: '0000',
      compareSource: '{c} + 0',
      compareTarget: '{c} + 0',
    }),
  },
  {
    from: 'uuid, inet4, inet6 (MariaDB)',
    to: 'the same type',
    note: '',
    baseTypes: ['uuid', 'inet4', 'inet6'],
    travel: (column) => ({
      type: column.type,
      read: 'CAST({c} AS CHAR)',
      convert: 'uuid',
      argument: column.baseType,
      compareTarget: 'CAST({c} AS CHAR)',
    }),
  },
  {
    from: 'integers, decimal, double, date, datetime, timestamp, time',
    to: 'the same type',
    note: 'zero dates included',
    baseTypes: () => true,
    travel: (column) => ({
      type: column.type,
      convert: column.baseType === 'time' ? 'time' : 'text',
    }),
  },
];
