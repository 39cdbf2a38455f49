/** Values of PostgreSQL's types, as text that the server reads. */

/**
 * How far rows go from the ordinary: the wilder, the more a procedure may fail on them. `tidy` rows
 * hold no NULL that may be avoided, and none is there twice. In `distinct` rows besides no two are
 * alike in any column, as far as its type allows: what is looked up by a name is found once. `named`
 * rows hold no other values than those that conditions name, where they name several: what is named
 * nowhere may be an error.
 */
export type Wildness = 'named' | 'distinct' | 'tidy' | 'plain' | 'mixed' | 'wild';

export interface ValueContext {
  /** The moment around which dates lie. */
  readonly clock: Date;
  readonly wildness: Wildness;
}

export type TypeFamily =
  | 'integer'
  | 'number'
  | 'float'
  | 'text'
  | 'date'
  | 'timestamp'
  | 'time'
  | 'interval'
  | 'boolean'
  | 'uuid'
  | 'json'
  | 'bytes'
  | 'other';

const FAMILIES: Readonly<Record<string, TypeFamily>> = {
  smallint: 'integer',
  integer: 'integer',
  bigint: 'integer',
  oid: 'integer',
  numeric: 'number',
  money: 'number',
  real: 'float',
  'double precision': 'float',
  text: 'text',
  'character varying': 'text',
  character: 'text',
  bpchar: 'text',
  name: 'text',
  '"char"': 'text',
  citext: 'text',
  date: 'date',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamp',
  'time without time zone': 'time',
  'time with time zone': 'time',
  interval: 'interval',
  boolean: 'boolean',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'json',
  bytea: 'bytes',
};

export function familyOf(baseType: string): TypeFamily {
  return FAMILIES[baseType.replace(/^.*\.(?=citext$)/u, '')] ?? 'other';
}

export function isMoment(baseType: string): boolean {
  const family = familyOf(baseType);
  return family === 'date' || family === 'timestamp';
}

/** Values of types that have no family, and no values of their own anywhere else. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  inet: ['10.0.0.1', '192.168.1.7/24', '::1'],
  cidr: ['10.0.0.0/8', '192.168.1.0/24'],
  macaddr: ['08:00:2b:01:02:03'],
  xml: ['<a/>', '<a>ü</a>'],
  point: ['(1,2)', '(0,0)'],
  int4range: ['[1,5)', 'empty'],
  int8range: ['[1,5)', 'empty'],
  numrange: ['[1.5,2)', 'empty'],
  daterange: ['[2024-01-01,2024-02-01)'],
  tsrange: ['["2024-01-01 00:00:00","2024-01-02 00:00:00")'],
  tstzrange: ['["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")'],
  bit: ['1'],
  'bit varying': ['101', ''],
  tsvector: ["'a' 'b'"],
};

const WORDS = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot', 'golf', 'hotel'];
const WILD_WORDS = ['', ' padded ', "O'Brien", 'Zoë', '吉田 🎁', 'ALPHA', 'a,b;"c"', '100%_\\'];
const DAY_OFFSETS = [
  0, -1, -2, -3, -6, -7, -8, -14, -29, -30, -31, -45, -60, -89, -90, -91, -180, -364, -365, -366,
  -400,
];
const WILD_OFFSETS = [1, 2, 30, 365];

/** Ordinary values of a family, then those that are apt to break things. */
export function commonValues(
  family: TypeFamily,
  baseType: string,
  context: ValueContext,
): readonly string[] {
  const wild = context.wildness === 'wild';
  switch (family) {
    case 'integer':
      return ['1', '2', '3', '5', '7', '10', '12', '20', '40', '100', ...(wild ? ['0', '-1'] : [])];
    case 'number':
    case 'float':
      return [
        '1',
        '2.5',
        '3.99',
        '10',
        '12.34',
        '49.9',
        '99.95',
        '100',
        '250',
        '1000',
        ...(wild ? ['0', '-5.5'] : []),
      ];
    case 'text':
      return [...WORDS, ...(isOrdinary(context) ? [] : WILD_WORDS)];
    case 'date':
      return days(context);
    case 'timestamp':
      return days(context).map(
        (day, index) => `${day} ${TIMES[index % TIMES.length] ?? '00:00:00'}`,
      );
    case 'time':
      return TIMES;
    case 'interval':
      return ['1 day', '02:30:00', '1 mon', '7 days', '00:00:30'];
    case 'boolean':
      return ['true', 'false'];
    case 'bytes':
      return ['\\x00ff', '\\x', '\\xdeadbeef'];
    case 'json':
      return ['{}', '{"a": 1}', '[]'];
    case 'uuid':
      return keyValues('uuid', 8);
    case 'other':
      return OTHERS[baseType.replace(/\(.*\)$/u, '')] ?? [];
  }
}

const TIMES = ['00:00:00', '08:15:30', '12:00:00', '23:59:59', '17:45:10.123456', '06:30:00'];

/** Nothing that is apt to break a procedure. */
export function isOrdinary(context: ValueContext): boolean {
  return context.wildness === 'plain' || isTidy(context);
}

export function isTidy({ wildness }: ValueContext): boolean {
  return wildness === 'tidy' || wildness === 'distinct' || wildness === 'named';
}

function days(context: ValueContext): string[] {
  const { clock } = context;
  const offsets = isOrdinary(context) ? DAY_OFFSETS : [...DAY_OFFSETS, ...WILD_OFFSETS];
  const near = offsets.map((offset) => dayText(clock, offset));
  const firstOfMonth = `${near[0]?.slice(0, 8) ?? '2024-01-'}01`;
  return [...new Set([...near, firstOfMonth, '2024-02-29', '2023-12-31', '2024-01-01'])];
}

export function dayText(clock: Date, offset: number): string {
  return new Date(clock.getTime() + offset * 86_400_000).toISOString().slice(0, 10);
}

/** Distinct values for a key, the first ones the same however many are asked for. */
export function keyValues(family: TypeFamily, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    switch (family) {
      case 'integer':
      case 'number':
      case 'float':
        return String(number);
      case 'uuid':
        return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
      case 'date':
        return dayText(new Date('2024-01-01T00:00:00Z'), index * 7);
      case 'timestamp':
        return `${dayText(new Date('2024-01-01T00:00:00Z'), index)} ${TIMES[index % TIMES.length] ?? ''}`;
      default:
        return number.toString(36).padStart(2, 'k');
    }
  });
}
