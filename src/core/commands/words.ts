/** Splits what stands behind a command into names of procedures, which may hold blanks. */

export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly unclosed: string };

const CLOSING: Readonly<Record<string, string>> = { '"': '"', '`': '`', '(': ')' };

/**
 * Words are separated by blanks or commas outside quotes, backticks and parentheses, so that
 * `dw.load(integer, text)` and `"my schema"."load it"()` are one word each. Backticks around a whole
 * word are Markdown's, and taken off.
 *
 * @param most stop after so many words; the last then holds the rest of the line as it is.
 */
export function splitWords(line: string, most = Number.POSITIVE_INFINITY): Words {
  const words: string[] = [];
  let start = -1;
  const open: string[] = [];
  const end = (at: number): void => {
    if (start >= 0) words.push(withoutBackticks(line.slice(start, at)));
    start = -1;
  };
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? '';
    if (open.length === 0 && /[\s,]/u.test(character)) {
      end(at);
      continue;
    }
    if (start < 0) {
      if (words.length + 1 >= most) return { ok: true, words: [...words, line.slice(at).trim()] };
      start = at;
    }
    const inner = open.at(-1);
    if (character === inner) open.pop();
    else if (inner === undefined || inner === ')') {
      const closing = CLOSING[character];
      if (closing !== undefined) open.push(closing);
    }
  }
  const missing = open.at(-1);
  if (missing !== undefined) return { ok: false, unclosed: missing };
  end(line.length);
  return { ok: true, words };
}

function withoutBackticks(word: string): string {
  return /^`([^`]+)`$/u.exec(word)?.[1]?.trim() ?? word;
}
