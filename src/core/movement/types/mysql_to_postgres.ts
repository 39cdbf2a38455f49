/** MySQL / MariaDB → PostgreSQL. The order matters: the first rule that fits holds. */
import type { MovedColumn } from '../model.ts';
import type { RuleContext, Travel, TypeRule } from './rule.ts';
import {
  MYSQL_FLOAT,
  MYSQL_HEX,
  MYSQL_MICROSECONDS,
  MYSQL_TEXT,
  MYSQL_TRIMMED,
  PG_FLOAT,
  PG_HEX,
  PG_MICROSECONDS,
  PG_NUMERIC_TRIMMED,
  PG_UTC_MICROSECONDS,
  unreadable,
} from './sql.ts';

const INTEGERS: Readonly<Record<string, string>> = {
  tinyint: 'smallint',
  'tinyint unsigned': 'smallint',
  smallint: 'smallint',
  'smallint unsigned': 'integer',
  mediumint: 'integer',
  'mediumint unsigned': 'integer',
  int: 'integer',
  'int unsigned': 'bigint',
  bigint: 'bigint',
  'bigint unsigned': 'numeric(20,0)',
};

const TEXTS = ['varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];
const BLOBS = ['varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'];
const NUL = { sql: `INSTR({c}, CHAR(0)) > 0`, values: 'text with U+0000' };

function integer(column: MovedColumn): Travel {
  const read = column.type.includes('zerofill') ? 'CAST({c} AS UNSIGNED)' : '{c}';
  return {
    type: INTEGERS[column.baseType] ?? 'bigint',
    read,
    compareSource: read,
    compareTarget: '{c}::text',
  };
}

function text(column: MovedColumn, type: string): Travel {
  return {
    type,
    escape: true,
    convert: 'no-nul',
    compareSource: MYSQL_TEXT,
    compareTarget: '{c}::text',
    refuses: [NUL, ...unreadable(column)],
  };
}

/** A date with a part that is zero: not in any calendar. */
const ZERO = `({c} IS NOT NULL AND (MONTH({c}) = 0 OR DAYOFMONTH({c}) = 0))`;

function dated(type: string, compares: readonly [string, string], context: RuleContext): Travel {
  const [source, target] = compares;
  return context.zeroDates === 'null'
    ? {
        type,
        read: `CASE WHEN ${ZERO} THEN NULL ELSE {c} END`,
        convert: 'zero-date-null',
        compareSource: `CASE WHEN ${ZERO} THEN NULL ELSE ${source} END`,
        compareTarget: target,
        loosensNull: true,
      }
    : {
        type,
        convert: 'zero-date-error',
        compareSource: source,
        compareTarget: target,
        refuses: [
          {
            sql: ZERO,
            values:
              'zero dates (pipelines.zero_dates: as_null makes them NULL, but for those of a key)',
          },
        ],
      };
}

/** The labels of an enum as a list of SQL strings. */
function labels(column: MovedColumn): string {
  return column.labels.map((label) => `'${label.replaceAll("'", "''")}'`).join(', ');
}

export const MYSQL_TO_POSTGRES: readonly TypeRule[] = [
  {
    from: 'tinyint(1)',
    to: 'boolean where all data is 0 or 1, else smallint',
    note: 'decided once, when the pipeline starts; another value later is an error',
    baseTypes: (column) => column.type.startsWith('tinyint(1)'),
    travel: (column) =>
      column.fits === true
        ? {
            type: 'boolean',
            convert: 'zero-one',
            compareTarget: '{c}::int::text',
            refuses: [{ sql: '{c} NOT IN (0, 1)', values: 'anything but 0 and 1 in a boolean' }],
          }
        : integer(column),
  },
  {
    from: 'tinyint, smallint, mediumint, int, bigint (also unsigned)',
    to: 'smallint, integer, bigint; int unsigned: bigint; bigint unsigned: numeric(20,0)',
    note: 'the smallest type that holds every value',
    baseTypes: Object.keys(INTEGERS),
    travel: integer,
  },
  {
    from: 'decimal(p,s)',
    to: 'numeric(p,s)',
    note: '',
    baseTypes: ['decimal', 'decimal unsigned'],
    travel: (column) => ({
      type: `numeric(${column.precision ?? 10},${column.scale ?? 0})`,
      // What `zerofill` puts before a number is none of its digits.
      compareSource: column.type.includes('zerofill')
        ? MYSQL_TRIMMED.replaceAll('{c}', '({c} + 0)')
        : MYSQL_TRIMMED,
      compareTarget: PG_NUMERIC_TRIMMED,
    }),
  },
  {
    from: 'float, double',
    to: 'real, double precision',
    note: 'to the last bit (MySQL prints only 6 digits of a float, so it is read as a double)',
    baseTypes: ['float', 'float unsigned', 'double', 'double unsigned'],
    travel: (column) => ({
      type: column.baseType.startsWith('float') ? 'real' : 'double precision',
      read: column.baseType.startsWith('float') ? 'CAST({c} AS DOUBLE)' : '{c}',
      compareSource: MYSQL_FLOAT,
      compareTarget: PG_FLOAT,
    }),
  },
  {
    from: 'bit(1)',
    to: 'boolean',
    note: '',
    baseTypes: (column) => column.baseType === 'bit' && column.length === 1,
    travel: () => ({
      type: 'boolean',
      read: '{c} + 0',
      convert: 'bit-bool',
      compareTarget: '{c}::int::text',
    }),
  },
  {
    from: 'bit(n)',
    to: 'bit(n)',
    note: '',
    baseTypes: ['bit'],
    travel: (column) => ({
      type: `bit(${column.length ?? 1})`,
      read: `LPAD(CONV({c} + 0, 10, 2), ${column.length ?? 1}, '0')`,
      convert: 'bits',
      argument: String(column.length ?? 1),
      compareTarget: '{c}::text',
    }),
  },
  {
    from: 'char(n)',
    to: 'character(n)',
    note: 'both sides ignore the blanks at the end; U+0000 is an error',
    baseTypes: ['char'],
    travel: (column) => ({
      ...text(column, column.length === 0 ? 'text' : `character(${column.length ?? 1})`),
      compareSource: `TRIM(TRAILING ' ' FROM ${MYSQL_TEXT})`,
      compareTarget: `rtrim({c}::text, ' ')`,
    }),
  },
  {
    from: 'varchar(n), text of any size',
    to: 'character varying(n), text',
    note: 'U+0000 is an error with table, key and column, and so are bytes that stand for no character',
    baseTypes: TEXTS,
    travel: (column) =>
      text(
        column,
        column.baseType === 'varchar' && (column.length ?? 0) > 0
          ? `character varying(${column.length})`
          : 'text',
      ),
  },
  {
    from: 'binary(n), varbinary(n), blob of any size',
    to: 'bytea',
    note: '',
    baseTypes: ['binary', ...BLOBS],
    travel: (column) => ({
      type: 'bytea',
      convert: column.baseType === 'binary' ? 'fixed-bytea' : 'bytea',
      argument: String(column.length ?? 0),
      compareSource: MYSQL_HEX,
      compareTarget: PG_HEX,
    }),
  },
  {
    from: 'date',
    to: 'date',
    note: 'a zero date is an error, or NULL with `pipelines.zero_dates: as_null` in the plan (then counted)',
    baseTypes: ['date'],
    travel: (_, context) => dated('date', ['CAST({c} AS CHAR)', '{c}::text'], context),
  },
  {
    from: 'datetime',
    to: 'timestamp(6)',
    note: 'zero dates as above',
    baseTypes: ['datetime'],
    travel: (_, context) => dated('timestamp(6)', [MYSQL_MICROSECONDS, PG_MICROSECONDS], context),
  },
  {
    from: 'timestamp',
    to: 'timestamptz',
    note: 'both sessions are at UTC; zero dates as above',
    baseTypes: ['timestamp'],
    travel: (_, context) =>
      dated('timestamp(6) with time zone', [MYSQL_MICROSECONDS, PG_UTC_MICROSECONDS], context),
  },
  {
    from: 'time',
    to: 'time(6) where all data is within a day, else interval',
    note: 'decided once, when the pipeline starts',
    baseTypes: ['time'],
    travel: (column) => ({
      type: column.fits === true ? 'time(6)' : 'interval',
      convert: column.fits === true ? 'within-day' : 'time',
      compareSource: MYSQL_TRIMMED,
      compareTarget: '{c}::text',
      refuses:
        column.fits === true
          ? [{ sql: `{c} < '00:00:00' OR {c} > '24:00:00'`, values: 'times outside of a day' }]
          : [],
    }),
  },
  {
    from: 'year',
    to: 'integer',
    note: '0000 is 0',
    baseTypes: ['year'],
    travel: (column) => ({
      type: 'integer',
      // MariaDB's `year(2)` gives the last two digits, and its log all four.
      read: column.type === 'year(2)' ? '{c} + IF({c} + 0 < 70, 2000, 1900)' : '{c} + 0',
      convert: 'year',
      argument: '0',
      compareTarget: '{c}::text',
    }),
  },
  {
    from: 'enum',
    to: 'text with a CHECK of the labels',
    note: 'the empty string that MySQL keeps for a wrong label is an error',
    baseTypes: ['enum'],
    travel: (column) => ({
      ...text(column, 'text'),
      // The log gives a wrong label as the empty string, which may be a label too.
      convert: column.labels.includes('') ? 'text' : 'enum',
      check: `{c} IN (${labels(column)})`,
      refuses: [
        { sql: '{c} + 0 = 0', values: 'an enum value that is not a label' },
        ...unreadable(column),
      ],
    }),
  },
  {
    from: 'set',
    to: 'text[]',
    note: 'members in the order of the definition',
    baseTypes: ['set'],
    travel: (column) => ({
      type: 'text[]',
      convert: 'set-array',
      compareSource: MYSQL_TEXT,
      compareTarget: `array_to_string({c}, ',')`,
      refuses: unreadable(column),
    }),
  },
  {
    from: 'json',
    to: 'json',
    note: 'the text as it is; cast to jsonb where the order of keys and doubles do not matter',
    baseTypes: ['json'],
    travel: (column) => text(column, 'json'),
  },
  {
    from: 'uuid, inet4, inet6 (MariaDB)',
    to: 'uuid, inet',
    note: '',
    baseTypes: ['uuid', 'inet4', 'inet6'],
    travel: (column) => ({
      type: column.baseType === 'uuid' ? 'uuid' : 'inet',
      read: 'CAST({c} AS CHAR)',
      convert: 'uuid',
      argument: column.baseType,
      compareTarget: column.baseType === 'uuid' ? '{c}::text' : 'host({c})',
    }),
  },
  {
    from: 'everything else (geometry, vector)',
    to: 'refused at planning',
    note: 'has no counterpart',
    baseTypes: () => true,
    travel: () => null,
  },
];
