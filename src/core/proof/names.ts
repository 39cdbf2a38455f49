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
