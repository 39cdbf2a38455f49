/** Other people's text in messages: short, on one line, and never a secret. */

const MAX_SHOWN = 60;
/** Enough to see what a text is; keeps the search below linear. */
const MAX_SEARCHED = 400;
const SECRET = /:\/\/|\b(?:password|passwd|pwd)\s*[=:]|[^\s@:]+:[^\s@]+@/iu;

/** True where the text may be a connection URL, a connection string or a credential. */
export function looksSecret(text: string): boolean {
  return SECRET.test(text.slice(0, MAX_SEARCHED));
}

/** The text in quotes for a message; replaced where it may hold a secret. */
export function shown(text: string): string {
  if (looksSecret(text)) return '(a value that is not shown)';
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...line];
  const short =
    characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN - 1).join('')}…` : line;
  return `"${short}"`;
}

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
