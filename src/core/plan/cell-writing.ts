/** Text for a table cell, such that the rendered page and `cellText` show just that text. */

/**
 * Characters that Markdown or HTML may read as more than themselves. `_` is one only at the edge
 * of a word, `!` only before a bracket, which is escaped itself.
 */
const SPECIAL = /[\\`*<>&[\]|~$]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;

/** Escapes one line of text for a cell of a GFM table. */
export function escapeCell(text: string): string {
  return text.replaceAll(SPECIAL, (character) => `\\${character}`);
}

/** A name for a cell: plain where it reads so, else as inline code, which people see unescaped. */
export function nameCell(name: string): string {
  const escaped = escapeCell(name);
  if (escaped === name) return name;
  // In a table, code has no spelling for a backslash before a pipe; text has.
  if (/[`\\]/u.test(name)) return escaped;
  return `\`${name.replaceAll('|', '\\|')}\``;
}
