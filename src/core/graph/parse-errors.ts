/** Where a routine does not parse. */
import { hasSqlDetails } from 'libpg-query';
import type { Routine } from '../catalog/types.ts';
import { scan } from '../translate/postgres/parser.ts';
import { readProgram } from '../translate/postgres/program.ts';

/** The parser ran out of stack: what it read was nested too deeply. */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError;
}

export function messageOf(error: unknown): string {
  if (isTooDeep(error)) return 'It is nested too deeply to be read.';
  return error instanceof Error ? error.message : String(error);
}

/** Line of the routine's body at which reading it failed with `error`; first line 1. */
export function errorLine(routine: Routine, error: unknown): number {
  if (isTooDeep(error)) return 1;
  if (hasSqlDetails(error)) {
    const before = [...routine.body].slice(0, error.sqlDetails?.cursorPosition ?? 0);
    return before.filter((character) => character === '\n').length + 1;
  }
  return lineByPrefixes(routine, messageOf(error));
}

/**
 * PL/pgSQL's parser gives a message without a place. Every prefix of the body that holds the error
 * fails with that same message when something that no statement starts with follows it; every
 * shorter one fails at what was added.
 */
function lineByPrefixes(routine: Routine, message: string): number {
  const { body, definition } = routine;
  const start = definition.lastIndexOf(body);
  const tokens = tokensOf(body);
  if (start < 0 || tokens.length === 0) return 1;
  const stranger = message.includes('")"') ? ' ]' : ' )';
  const fails = (count: number): boolean => {
    const prefix = body.slice(0, tokens[count - 1]?.end ?? 0) + stranger;
    const text = definition.slice(0, start) + prefix + definition.slice(start + body.length);
    try {
      readProgram({ ...routine, body: prefix, definition: text });
      return false;
    } catch (error) {
      return messageOf(error) === message;
    }
  };
  let passing = 0;
  let failing = tokens.length + 1;
  while (failing - passing > 1) {
    const middle = Math.floor((passing + failing) / 2);
    if (fails(middle)) failing = middle;
    else passing = middle;
  }
  const token = tokens[Math.min(failing, tokens.length) - 1];
  return body.slice(0, token?.start ?? 0).split('\n').length;
}

function tokensOf(body: string): readonly { readonly start: number; readonly end: number }[] {
  try {
    return scan(body).filter((token) => token.kind !== 'comment');
  } catch {
    return [];
  }
}
