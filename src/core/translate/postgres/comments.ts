/** The author's comments, found again by the statement that they stand before. */
import { scan } from './parser.ts';

/**
 * Gives a function from a statement's line and first word to the comments directly before it.
 * Comments on the line where another statement ends belong to that one and are left out.
 */
export function commentsByLine(
  body: string,
): (line: number, firstWord: string) => readonly string[] {
  if (!body.includes('--') && !body.includes('/*')) return () => [];
  const tokens = safeScan(body);
  const starts = lineStarts(body);
  return (line, firstWord) => {
    const from = starts[line - 1];
    if (from === undefined) return [];
    const end = starts[line] ?? body.length;
    const at = tokens.findIndex(
      (token) =>
        token.start >= from &&
        token.start < end &&
        token.kind !== 'comment' &&
        body.startsWith(firstWord, token.start),
    );
    const comments: string[] = [];
    for (let index = at - 1; index >= 0 && tokens[index]?.kind === 'comment'; index -= 1) {
      const token = tokens[index];
      if (!token || !standsAlone(body, token.start)) break;
      comments.unshift(token.text.trim());
    }
    return at < 0 ? [] : comments;
  };
}

function safeScan(body: string): ReturnType<typeof scan> {
  try {
    return scan(body);
  } catch {
    // A body that can't be scanned is refused by the parser, with a better message.
    return [];
  }
}

function standsAlone(body: string, start: number): boolean {
  return body.slice(body.lastIndexOf('\n', start - 1) + 1, start).trim() === '';
}

function lineStarts(body: string): readonly number[] {
  const starts = [0];
  for (let at = body.indexOf('\n'); at >= 0; at = body.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
