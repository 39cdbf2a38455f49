/** Pieces of SQL that the metadata tables are read and written with. */

/** A name as it stands in SQL, whatever characters it has. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A parameter that holds a JSON array of texts, as an array that an index can be searched with. */
export function jsonTexts(parameter: string): string {
  return `ARRAY(SELECT json_array_elements_text(${parameter}::json))`;
}

/** A TIMESTAMP column that holds UTC, as ISO 8601 with milliseconds. */
export function isoTime(expression: string): string {
  return `to_char(${expression}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** PostgreSQL's text holds no U+0000, and messages quote what other programs said. */
export function withoutNul<T extends string | null>(text: T): T | string {
  return text === null ? text : text.replaceAll('\0', '\u{FFFD}');
}
