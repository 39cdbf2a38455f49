/** Spellings of argument types: people write `int`, the catalog says `integer`. */
import type { Dialect } from './types.ts';

const POSTGRES_ALIASES: Readonly<Record<string, string>> = {
  int: 'integer',
  int4: 'integer',
  int8: 'bigint',
  int2: 'smallint',
  bool: 'boolean',
  float: 'double precision',
  float8: 'double precision',
  float4: 'real',
  decimal: 'numeric',
  dec: 'numeric',
  varchar: 'character varying',
  'char varying': 'character varying',
  char: 'bpchar',
  character: 'bpchar',
  bit: '"bit"',
  varbit: 'bit varying',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
};

/**
 * The type as the catalog spells it: PostgreSQL's `format_type` without a modifier, where `bpchar`
 * and `"bit"` are what people call `char` and `bit`. PostgreSQL takes no length, precision or
 * number of dimensions into a signature, and folds what stands outside quotes to lower case.
 */
export function canonicalType(text: string, dialect: Dialect): string {
  const spaced = text.replaceAll(/\s+/gu, ' ').trim();
  if (dialect !== 'postgres' || spaced.includes('"')) return spaced;
  const short = spaced
    .toLowerCase()
    .replace(/^float ?\((?:\d|1\d|2[0-4])\)/u, 'real')
    .replaceAll(/ ?\([^)]*\)/gu, '')
    .replace(/^interval [a-z ]+/u, 'interval');
  const bare = short.replace(/ ?(?:\[\d*\] ?)+$/u, '');
  return `${POSTGRES_ALIASES[bare] ?? bare}${bare === short ? '' : '[]'}`;
}
