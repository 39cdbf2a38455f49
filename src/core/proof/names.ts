/** Names that the proof puts into its sandbox. */

/** Holds the proof's clock, its counters and the rows of the other side; never compared. */
export const PROOF_SCHEMA = 'sprocket_proof';

/** An identifier as SQL takes it, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteName(name: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.name)}`;
}

/** A string constant; `standard_conforming_strings` is on wherever the proof connects. */
export function quoteLiteral(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

const BARE_TYPES = /^(smallint|integer|bigint|numeric|boolean)\b/u;
const TEXT_TYPES = /^(text|character varying|varchar)\b/u;

/** A value as an SQL expression of its type, written as a person would write it. */
export function typedLiteral(value: string | null, type: string): string {
  if (value === null) return `NULL::${type}`;
  const bare = BARE_TYPES.test(type) && /^(-?\d+(\.\d+)?|true|false)$/u.test(value);
  if (bare) return value;
  return TEXT_TYPES.test(type) ? quoteLiteral(value) : `${quoteLiteral(value)}::${type}`;
}
