/** Comparing two sides: which pieces differ, and which rows in them. */
import type { ColumnMapping, TableMapping } from './model.ts';
import { movedColumns } from './types/map.ts';
import { MYSQL_HEX, PG_HEX } from './types/sql.ts';

export interface SideSum {
  readonly piece: string;
  readonly rows: number;
  readonly sum: string;
}

/** Pieces whose rows or digests differ, in the order of their numbers. */
export function differingPieces(
  source: readonly SideSum[],
  target: readonly SideSum[],
): readonly string[] {
  const other = new Map(target.map((sum) => [sum.piece, sum]));
  const out = source
    .filter(
      ({ piece, rows, sum }) => other.get(piece)?.rows !== rows || other.get(piece)?.sum !== sum,
    )
    .map(({ piece }) => piece);
  const known = new Set(source.map(({ piece }) => piece));
  return [
    ...out,
    ...target.filter(({ piece }) => !known.has(piece)).map(({ piece }) => piece),
  ].toSorted((a, b) => Number(a) - Number(b));
}

export interface KeyDifferences {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly different: readonly string[];
}

/** Keys that only one side has, or whose rows have another digest. */
export function differingKeys(
  source: ReadonlyMap<string, string>,
  target: ReadonlyMap<string, string>,
): KeyDifferences {
  const missing: string[] = [];
  const different: string[] = [];
  for (const [key, digest] of source) {
    const other = target.get(key);
    if (other === undefined) missing.push(key);
    else if (other !== digest) different.push(key);
  }
  return { missing, extra: [...target.keys()].filter((key) => !source.has(key)), different };
}

/** Types whose values PostgreSQL digests without printing them first, and alike on every server. */
const DIGESTIBLE = [
  /^(?:smallint|integer|bigint|boolean|date|uuid|bytea|text)$/,
  /^character varying(?:\(\d+\))?$/,
  /^timestamp(?:\(\d\))? with(?:out)? time zone$/,
  /^numeric\(\d+,\d+\)$/,
];

/** Types of which some values are equal that are not the same (0 and -0): their bytes tell these apart. */
const SENT = new Map([
  ['double precision', 'float8send({c})'],
  ['real', 'float4send({c})'],
]);

/** Characters of a value that are shown; of what is longer also its length and MD5, so that it is told from others. */
export const SHOWN_LENGTH = 1000;

/** Digits of bytes are twice as long as they, and may be more text than a server makes. */
const BYTES = new Map([
  [PG_HEX, 'md5({c})'],
  [MYSQL_HEX, 'MD5({c})'],
]);

interface ComparedColumn {
  readonly name: string;
  /** Gives the value as both sides print it. */
  readonly template: string;
  /** The template gives NULL for some values too (zero dates). */
  readonly loosens: boolean;
}

/** How one side looks at a table. */
export interface ComparedColumns {
  /** In an order that both sides share. */
  readonly columns: readonly (ComparedColumn & {
    /** Gives what a digest of the value is taken of. */
    readonly digest: string;
    /** Its text is the digits of bytes. */
    readonly bytes: boolean;
    /** What is digested is text, whose bytes depend on the encoding of its database. */
    readonly textual: boolean;
  })[];
  /** By names on this side, with templates that give equal text for equal keys. */
  readonly key: readonly (ComparedColumn & { readonly baseType: string })[];
  /** Both sides are the same dialect, so that a faster digest than text will do. */
  readonly native: boolean;
}

/**
 * The two ways to look at a table, one for each side. `native`: both sides are PostgreSQL, and digest their own values.
 * A table without a key is compared by its whole rows, and how often each is there.
 */
export function comparedColumns(
  mapping: TableMapping,
  native: boolean,
): { readonly source: ComparedColumns; readonly target: ComparedColumns } {
  const columns = movedColumns(mapping);
  const whole = mapping.key.length === 0;
  const key = columns.filter((column) => whole || mapping.key.includes(column.source));
  const isDigestible = ({ sourceType }: ColumnMapping) =>
    DIGESTIBLE.some((type) => type.test(sourceType));
  const digest = (column: ColumnMapping, text: string) => {
    if (!native) return BYTES.get(text) ?? text;
    return isDigestible(column) ? '{c}' : (SENT.get(column.sourceType) ?? text);
  };
  const isTextual = (column: ColumnMapping) =>
    isDigestible(column)
      ? /^(?:text|character varying)/.test(column.sourceType)
      : !SENT.has(column.sourceType);
  const side = (
    name: 'source' | 'target',
    text: 'compareSource' | 'compareTarget',
  ): ComparedColumns => ({
    native,
    columns: columns.map((column) => ({
      name: column[name],
      template: column[text],
      loosens: column.convert === 'zero-date-null',
      digest: digest(column, column[text]),
      bytes: BYTES.has(column[text]),
      textual: isTextual(column),
    })),
    key: key.map((column) => ({
      name: column[name],
      template: column[text],
      loosens: column.convert === 'zero-date-null',
      baseType: (name === 'source' ? column.sourceType : column.targetType).replace(/\(\d+\)/, ''),
    })),
  });
  return { source: side('source', 'compareSource'), target: side('target', 'compareTarget') };
}
