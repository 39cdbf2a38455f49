/**
 * One statement of the author's text: its tokens, the edits that are to be made in it, and any
 * stretch of it as a fragment with the edits applied.
 */
import type { Fragment } from '../fragment.ts';
import { sql } from '../fragment.ts';
import { offsetMapper, scan } from './parser.ts';
import type { Token } from './parser.ts';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly fragment: Fragment;
}

export class SourceText {
  readonly text: string;
  /** Line of the routine's body on which the text starts. */
  readonly firstLine: number;
  /** Tokens without comments. */
  readonly tokens: readonly Token[];
  readonly #toIndex: (byte: number) => number;
  readonly #byStart: ReadonlyMap<number, number>;
  readonly #edits: Edit[] = [];

  constructor(text: string, firstLine: number) {
    this.text = text;
    this.firstLine = firstLine;
    this.tokens = scan(text).filter((token) => token.kind !== 'comment');
    this.#toIndex = offsetMapper(text);
    this.#byStart = new Map(this.tokens.map((token, index) => [token.start, index]));
  }

  /** Index into the text of a `location` of the parse tree. */
  index(location: number | undefined): number {
    return this.#toIndex(location ?? 0);
  }

  line(index: number): number {
    return this.firstLine + newlines(this.text.slice(0, index));
  }

  lastLine(): number {
    return this.line(this.text.trimEnd().length);
  }

  /** Position in `tokens` of the token that starts at an index of the text. */
  tokenAt(index: number): number {
    return this.#byStart.get(index) ?? this.tokens.findIndex((token) => token.start >= index);
  }

  /** End of a name such as `schema.table.column` that starts at `index` and has `parts` parts. */
  endOfName(index: number, parts: number): number {
    const first = this.tokenAt(index);
    return this.tokens[first + 2 * (parts - 1)]?.end ?? index;
  }

  /** End of the bracketed list that opens at or after `index`; -1 where there is none. */
  endOfBrackets(index: number): number {
    let depth = 0;
    for (let at = this.tokenAt(index); at < this.tokens.length; at += 1) {
      const token = this.tokens[at];
      if (token?.text === '(') depth += 1;
      if (token?.text === ')' && (depth -= 1) === 0) return token.end;
    }
    return -1;
  }

  /** Replaces a stretch of the text, once: the first edit of a stretch stays. */
  edit(start: number, end: number, fragment: Fragment): void {
    if (this.#edits.some((edit) => edit.start < end && start < edit.end)) return;
    this.#edits.push({ start, end, fragment });
  }

  /** A stretch with its edits, without white space and comments around it. */
  slice(start: number, end: number): Fragment {
    const inside = this.tokens.filter((token) => token.start >= start && token.end <= end);
    const from = inside[0]?.start ?? start;
    const to = inside.at(-1)?.end ?? end;
    const edits = this.#edits
      .filter((edit) => edit.start >= from && edit.end <= to)
      .toSorted((a, b) => a.start - b.start || a.end - b.end);
    let result: Fragment = [];
    let at = from;
    for (const edit of edits) {
      result = sql`${result}${this.text.slice(at, edit.start)}${edit.fragment}`;
      at = edit.end;
    }
    return sql`${result}${this.text.slice(at, to)}`;
  }
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
