/** Whether a comment may hold a command at all, from the event alone. */
import { parseComment } from './parse.ts';
import type { ParsedComment } from './parse.ts';

export interface CommentEvent {
  /** What happened to the comment: `created`, `edited`, `deleted`. */
  readonly action: string;
  readonly body: string;
  readonly authorType: string;
  /** The App that wrote in the person's name; null where it was the person. */
  readonly throughApp: string | null;
}

/**
 * What a comment asks for. Edited and deleted ones, those of bots, and those that an app wrote for
 * somebody ask for nothing.
 */
export function readCommentEvent(event: CommentEvent): ParsedComment {
  const byPerson = event.authorType === 'User' && event.throughApp === null;
  if (event.action !== 'created' || !byPerson) return { kind: 'none' };
  return parseComment(event.body);
}
