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
  char: 'character',
  bpchar: 'character',
  varbit: 'bit varying',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
};

/**
 * The type as the catalog spells it. PostgreSQL takes no length or precision into a signature, and
 * folds what stands outside quotes to lower case.
 */
export function canonicalType(text: string, dialect: Dialect): string {
  const spaced = text.replaceAll(/\s+/gu, ' ').trim();
  if (dialect !== 'postgres' || spaced.includes('"')) return spaced;
  const bare = spaced.toLowerCase().replaceAll(/ ?\([^)]*\)/gu, '');
  const [, name = bare, array = ''] = /^(.*?)\s*((?:\[\d*\])*)$/u.exec(bare) ?? [];
  return `${POSTGRES_ALIASES[name] ?? name}${array.replaceAll(/\d/gu, '')}`;
}
