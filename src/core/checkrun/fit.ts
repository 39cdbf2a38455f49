/** Text within GitHub's limits. */
import { byteLength } from '../report/markdown.ts';
import { oneLine } from '../report/text.ts';

/** Plain text on one line, at most so many UTF-16 units, with `…` at the end where something is gone. */
export function fitLine(text: string, most: number): string {
  const line = oneLine(text);
  if (line.length <= most) return line;
  let kept = '';
  for (const character of line) {
    if (kept.length + character.length > most - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/**
 * Markdown cut to at most `most` bytes of UTF-8, at the end of a line, with blocks of code and
 * folded parts closed and `note` behind it. `note` must have room.
 */
export function fitMarkdown(text: string, most: number, note: string): string {
  if (byteLength(text) <= most) return text;
  const kept: string[] = [];
  let used = byteLength(note) + 2;
  let open: Open = { fence: null, folded: 0 };
  for (const line of text.split('\n')) {
    const next = after(line, open);
    used += byteLength(line) + 1;
    if (used + byteLength(closing(next)) > most) break;
    kept.push(line);
    open = next;
  }
  return `${kept.join('\n')}${closing(open)}\n\n${note}`;
}

interface Open {
  /** The fence that ends the block of code that the text is in; null outside. */
  readonly fence: string | null;
  readonly folded: number;
}

function after(line: string, { fence, folded }: Open): Open {
  const found = /^ {0,3}(`{3,}|~{3,})/u.exec(line)?.[1];
  if (fence !== null) {
    const ends = found !== undefined && found.startsWith(fence) && line.trim() === found;
    return { fence: ends ? null : fence, folded };
  }
  if (found !== undefined) return { fence: found, folded };
  const depth = folded + occurrences(line, '<details') - occurrences(line, '</details>');
  return { fence, folded: Math.max(0, depth) };
}

function closing({ fence, folded }: Open): string {
  return `${fence === null ? '' : `\n${fence}`}${'\n</details>'.repeat(folded)}`;
}

function occurrences(line: string, part: string): number {
  return line.split(part).length - 1;
}
