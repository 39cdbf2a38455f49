/** A comment from text to command. */
import { nearest } from '../lifecycle/select.ts';
import { COMMANDS, isCommandName } from './table.ts';
import type { CommandName } from './table.ts';
import { splitWords } from './words.ts';

export interface Command {
  readonly name: CommandName;
  /** As the person typed them. */
  readonly procedures: readonly string[];
  readonly reason: string | null;
}

export type ParsedComment =
  /** Ordinary talk. */
  | { readonly kind: 'none' }
  | { readonly kind: 'command'; readonly command: Command }
  /** A word behind a slash that is no command; `nearest` is the one that may be meant. */
  | { readonly kind: 'unknown'; readonly word: string; readonly nearest: CommandName | null }
  | { readonly kind: 'malformed'; readonly name: CommandName; readonly message: string };

const MAX_PROCEDURES = 100;
const MAX_REASON = 500;
/** Up to three blanks: four make a block of code. */
const SLASH_WORD = /^ {0,3}\/([a-z][a-z-]{0,30})(?=\s|$)(.*)$/isu;

/**
 * Reads the first line of a comment that is not blank. A quote, a list, a block of code, or a
 * command anywhere else in the text is ordinary talk.
 */
export function parseComment(body: string): ParsedComment {
  const line = body.split(/\r\n|\r|\n/u).find((each) => each.trim() !== '') ?? '';
  const match = SLASH_WORD.exec(line);
  if (match === null) return { kind: 'none' };
  const word = (match[1] ?? '').toLowerCase();
  const rest = (match[2] ?? '').trim();
  if (!isCommandName(word)) {
    const candidates = COMMANDS.map(({ name }) => ({ value: name, text: name }));
    return { kind: 'unknown', word, nearest: nearest(word, candidates) };
  }
  return withArguments(word, rest);
}

/** How a command is written: `/accept procedure reason…`. */
export function usageOf(name: CommandName): string {
  const row = COMMANDS.find((each) => each.name === name);
  return `/${name} ${row?.usage ?? ''}`.trim();
}

function withArguments(name: CommandName, rest: string): ParsedComment {
  const form = COMMANDS.find((each) => each.name === name)?.form ?? 'none';
  const command = (procedures: readonly string[], reason: string | null): ParsedComment => ({
    kind: 'command',
    command: { name, procedures, reason: reason === null ? null : shortened(reason) },
  });
  const malformed = (message: string): ParsedComment => ({ kind: 'malformed', name, message });
  switch (form) {
    case 'none':
      return rest === ''
        ? command([], null)
        : malformed(`Nothing comes behind it. Write \`${usageOf(name)}\`.`);
    case 'reason':
      return command([], rest === '' ? null : rest);
    case 'procedures':
    case 'optional procedures':
    case 'procedure': {
      const split = splitWords(rest);
      if (!split.ok) return malformed(unclosed(split.unclosed));
      const { words } = split;
      if (words.length === 0 && form !== 'optional procedures') {
        return malformed(`It needs a procedure. Write \`${usageOf(name)}\`.`);
      }
      if (words.length > 1 && form === 'procedure') {
        return malformed(`It takes one procedure. Write \`${usageOf(name)}\`.`);
      }
      if (words.length > MAX_PROCEDURES) {
        return malformed(`It takes at most ${MAX_PROCEDURES} procedures at once.`);
      }
      return command(words, null);
    }
    case 'procedure and reason': {
      const split = splitWords(rest, 2);
      if (!split.ok) return malformed(unclosed(split.unclosed));
      const [procedure, reason = ''] = split.words;
      if (procedure === undefined || reason === '') {
        return malformed(
          `It needs a procedure and the reason why its model is right. Write \`${usageOf(name)}\`.`,
        );
      }
      return command([procedure], reason);
    }
  }
}

function unclosed(closing: string): string {
  return `A \`${closing === '`' ? 'backtick' : closing}\` is missing: names are written as \`schema.name(types)\`.`;
}

function shortened(reason: string): string {
  const characters = [...reason];
  return characters.length > MAX_REASON
    ? `${characters.slice(0, MAX_REASON - 1).join('')}…`
    : reason;
}
