/** PostgreSQL → MySQL / MariaDB. The order matters: the first rule that fits holds. */
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
} from './sql.ts';

/** Of a character in utf8mb4. */
const CHARACTER_BYTES = 4;
const VARCHAR_LIMIT = 16_383;
/** What LOAD DATA can't read as any date or number, so that it never passes silently. */
const IMPOSSIBLE = `'not representable'`;

function text(column: MovedColumn, context: RuleContext, read: string): Travel {
  const collate = `CHARACTER SET utf8mb4 COLLATE ${context.exactCollation}`;
  const room =
    context.indexedBytes === null ? null : Math.floor(context.indexedBytes / CHARACTER_BYTES);
  const length = column.length;
  const type =
    room !== null
      ? `varchar(${Math.min(room, length ?? room)})`
      : length !== null && length <= VARCHAR_LIMIT
        ? `varchar(${length})`
        : 'longtext';
  return {
    type: `${type} ${collate}`,
    read,
    escape: true,
    compareSource: read,
    compareTarget: MYSQL_TEXT,
    refuses:
      room !== null && (length === null || length > room)
        ? [
            {
              sql: `length({c}::text) > ${room}`,
              values: `text over ${room} characters in an indexed column`,
            },
          ]
        : [],
  };
}

/** As the log prints it: the cast to text gives an address its mask where it has none. */
const INET = `CASE WHEN {c} IS NOT NULL THEN format('%s', {c}) END`;

const plain = (type: string): Travel => ({ type, compareSource: '{c}::text' });

function range(from: string, read: string, convert: 'date-range' | 'utc', compare: string): Travel {
  const last = from === 'date' ? `'9999-12-31'` : `'9999-12-31 23:59:59.999999'`;
  const outside = `NOT ({c} BETWEEN '0001-01-01' AND ${last})`;
  return {
    type: from,
    read: `CASE WHEN ${outside} THEN ${IMPOSSIBLE} ELSE ${read} END`,
    convert,
    compareSource: compare,
    compareTarget: from === 'date' ? 'CAST({c} AS CHAR)' : MYSQL_MICROSECONDS,
    refuses: [{ sql: outside, values: 'infinity, dates before the year 1 or after 9999' }],
  };
}

const NOT_A_NUMBER = `{c}::text IN ('NaN', 'Infinity', '-Infinity')`;

export const POSTGRES_TO_MYSQL: readonly TypeRule[] = [
  {
    from: 'boolean',
    to: 'tinyint(1)',
    note: 'true is 1, false is 0',
    baseTypes: ['boolean'],
    travel: () => ({
      type: 'tinyint(1)',
      read: '{c}::int',
      convert: 'bool-to-int',
      compareSource: '{c}::int::text',
    }),
  },
  {
    from: 'smallint, integer, bigint',
    to: 'smallint, int, bigint',
    note: 'the same ranges',
    baseTypes: ['smallint', 'integer', 'bigint'],
    travel: (column) => plain(column.baseType === 'integer' ? 'int' : column.baseType),
  },
  {
    from: 'oid',
    to: 'int unsigned',
    note: '',
    baseTypes: ['oid'],
    travel: () => plain('int unsigned'),
  },
  {
    from: 'numeric(p,s)',
    to: 'decimal(p,s)',
    note: 'p up to 65 and s up to 30 and not over p; NaN is an error',
    baseTypes: (column) => column.baseType === 'numeric' && column.precision !== null,
    travel: ({ precision, scale }) =>
      precision === null ||
      precision > 65 ||
      (scale ?? 0) > 30 ||
      (scale ?? 0) < 0 ||
      (scale ?? 0) > precision
        ? null
        : {
            type: `decimal(${precision},${scale ?? 0})`,
            convert: 'numeric-65',
            argument: `${precision - (scale ?? 0)},${scale ?? 0}`,
            compareSource: PG_NUMERIC_TRIMMED,
            compareTarget: MYSQL_TRIMMED,
            refuses: [{ sql: NOT_A_NUMBER, values: 'NaN' }],
          },
  },
  {
    from: 'numeric',
    to: 'decimal(65,30)',
    note: 'over 35 digits before or 30 after the point, NaN and infinity are errors',
    baseTypes: ['numeric'],
    travel: () => {
      const outside = `(${NOT_A_NUMBER} OR abs({c}) >= 1e35 OR scale(trim_scale({c})) > 30)`;
      return {
        type: 'decimal(65,30)',
        read: `CASE WHEN ${outside} THEN ${IMPOSSIBLE} ELSE {c}::text END`,
        convert: 'numeric-65',
        argument: '35,30',
        compareSource: PG_NUMERIC_TRIMMED,
        compareTarget: MYSQL_TRIMMED,
        refuses: [{ sql: outside, values: 'numbers beyond decimal(65,30), NaN or infinity' }],
      };
    },
  },
  {
    from: 'real, double precision',
    to: 'float, double',
    note: 'to the last bit; NaN and infinity are errors',
    baseTypes: ['real', 'double precision'],
    travel: (column) => ({
      type: column.baseType === 'real' ? 'float' : 'double',
      // As a double: the shortest text of the largest float is more than MySQL's float holds.
      read: '{c}::float8',
      convert: column.baseType === 'real' ? 'float-single' : 'float-finite',
      compareSource: PG_FLOAT,
      compareTarget: MYSQL_FLOAT,
      refuses: [{ sql: NOT_A_NUMBER, values: 'NaN and infinity' }],
    }),
  },
  {
    from: 'money',
    to: 'decimal(19,2)',
    note: 'the amount, without its currency',
    baseTypes: ['money'],
    travel: () => ({
      type: 'decimal(19,2)',
      read: '{c}::numeric',
      convert: 'money',
      compareSource: 'trim_scale({c}::numeric)::text',
      compareTarget: MYSQL_TRIMMED,
    }),
  },
  {
    from: 'character(n)',
    to: 'char(n), over 255 longtext',
    note: 'both sides ignore the blanks at the end',
    baseTypes: ['character'],
    travel: (column, context) => {
      const as = text(column, context, '{c}::text');
      const short = (column.length ?? 1) <= 255;
      return {
        ...as,
        type: short
          ? `char(${column.length ?? 1}) CHARACTER SET utf8mb4 COLLATE ${context.exactCollation}`
          : as.type,
        convert: 'char-trim',
        compareSource: `rtrim({c}::text, ' ')`,
      };
    },
  },
  {
    from: 'text, character varying, citext, name, xml',
    to: 'longtext; varchar(n) where a length is given or the column is indexed',
    note: 'utf8mb4 with a collation that tells every two strings apart; longer than an index holds is an error',
    baseTypes: ['text', 'character varying', 'citext', 'name', 'xml', '"char"'],
    travel: (column, context) => text(column, context, '{c}::text'),
  },
  {
    from: 'uuid',
    to: 'char(36)',
    note: '',
    baseTypes: ['uuid'],
    travel: () => ({ ...plain('char(36) CHARACTER SET ascii COLLATE ascii_bin'), escape: false }),
  },
  {
    from: 'bytea',
    to: 'longblob, varbinary(n) where indexed',
    note: '',
    baseTypes: ['bytea'],
    travel: (_, context) => ({
      type:
        context.indexedBytes !== null
          ? `varbinary(${Math.floor(context.indexedBytes / CHARACTER_BYTES)})`
          : 'longblob',
      read: PG_HEX,
      write: 'UNHEX({v})',
      convert: 'hex',
      compareSource: PG_HEX,
      compareTarget: MYSQL_HEX,
    }),
  },
  {
    from: 'date',
    to: 'date',
    note: 'infinity, BC and years over 9999 are errors',
    baseTypes: ['date'],
    travel: () => range('date', '{c}::text', 'date-range', '{c}::text'),
  },
  {
    from: 'timestamp',
    to: 'datetime(6)',
    note: 'infinity, BC and years over 9999 are errors',
    baseTypes: ['timestamp without time zone'],
    travel: () => range('datetime(6)', '{c}::text', 'date-range', PG_MICROSECONDS),
  },
  {
    from: 'timestamptz',
    to: 'datetime(6) in UTC',
    note: 'infinity, BC and years over 9999 are errors',
    baseTypes: ['timestamp with time zone'],
    travel: () =>
      range('datetime(6)', `({c} AT TIME ZONE 'UTC')::text`, 'utc', PG_UTC_MICROSECONDS),
  },
  {
    from: 'time',
    to: 'time(6)',
    note: '',
    baseTypes: ['time without time zone'],
    travel: () => ({ ...plain('time(6)'), compareTarget: MYSQL_TRIMMED }),
  },
  {
    from: 'json, jsonb',
    to: 'json',
    note: 'the text stays as PostgreSQL prints it (MySQL itself, unlike MariaDB, writes JSON its own way)',
    baseTypes: ['json', 'jsonb'],
    travel: () => ({
      type: 'json',
      read: '{c}::text',
      escape: true,
      compareTarget: MYSQL_TEXT,
    }),
  },
  {
    from: 'arrays',
    to: 'json (an array)',
    note: 'numbers and booleans stay what they are, other elements become strings',
    baseTypes: (column) => column.kind === 'array',
    travel: (column) => {
      const element = column.baseType.slice(0, -2);
      // Of the last two the cast to text is not what the log prints.
      const native = [
        'smallint',
        'integer',
        'bigint',
        'numeric',
        'boolean',
        'text',
        'inet',
        'character',
      ].includes(element);
      const read = `array_to_json({c}${native ? '' : '::text[]'})::text`;
      return {
        type: 'json',
        read,
        escape: true,
        convert: 'array-json',
        argument: element,
        compareTarget: MYSQL_TEXT,
      };
    },
  },
  {
    from: 'ranges, composite types, hstore',
    to: 'json (a string)',
    note: 'the text that PostgreSQL prints, as one JSON string',
    baseTypes: (column) =>
      column.kind === 'range' || column.kind === 'composite' || column.baseType === 'hstore',
    travel: () => ({
      type: 'json',
      read: 'to_json({c}::text)::text',
      escape: true,
      convert: 'json-string',
      compareTarget: MYSQL_TEXT,
    }),
  },
  {
    from: 'enum types',
    to: 'varchar(63)',
    note: '',
    baseTypes: (column) => column.kind === 'enum',
    travel: (column, context) => text({ ...column, length: 63 }, context, '{c}::text'),
  },
  {
    from: 'bit(n)',
    to: 'bit(n), over 64 varchar(n)',
    note: '',
    baseTypes: ['bit'],
    travel: (column) => {
      const width = column.length ?? 1;
      return width > 64
        ? plain(`varchar(${width}) CHARACTER SET ascii`)
        : {
            type: `bit(${width})`,
            read: '{c}::text',
            write: 'CAST(CONV({v}, 2, 10) AS UNSIGNED)',
            compareTarget: `LPAD(CONV({c} + 0, 10, 2), ${width}, '0')`,
          };
    },
  },
  {
    from: 'interval, time with time zone, inet, cidr, macaddr, bit varying',
    to: 'varchar(255) / longtext',
    note: 'the text that PostgreSQL prints',
    baseTypes: [
      'interval',
      'time with time zone',
      'inet',
      'cidr',
      'macaddr',
      'macaddr8',
      'bit varying',
    ],
    travel: (column, context) =>
      text(
        { ...column, length: column.baseType === 'bit varying' ? null : 255 },
        context,
        column.baseType === 'inet' ? INET : '{c}::text',
      ),
  },
  {
    from: 'everything else (geometric types, tsvector, types of extensions)',
    to: 'refused at planning',
    note: 'has no counterpart',
    baseTypes: () => true,
    travel: () => null,
  },
];
