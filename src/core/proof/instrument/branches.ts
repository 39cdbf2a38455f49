/** Counts which sides of its conditions a procedure takes. */
import type { TranslatedBranch } from '../../translate/types.ts';
import { PROOF_SCHEMA } from '../names.ts';
import { codeTokens, edited } from './clock.ts';
import type { Edit } from './clock.ts';
import { structureOf } from './structure.ts';

export interface CountedBranches {
  readonly body: string;
  /** Numbers of the conditions that report which way they went. */
  readonly numbers: readonly number[];
}

/**
 * Wraps the condition of every IF and ELSIF that stands on the line of a branch. Numbers start at
 * `first` and are unique in a sandbox.
 */
export function withCountedBranches(
  body: string,
  branches: readonly TranslatedBranch[],
  first: number,
): CountedBranches {
  const tokens = codeTokens(body);
  const edits: Edit[] = [];
  const numbers: number[] = [];
  for (const { from, to } of structureOf(tokens).conditions) {
    const word = tokens[from];
    const begin = tokens[from + 1];
    const last = tokens[to - 1];
    if (word === undefined || begin === undefined || last === undefined) continue;
    const lines = [lineOf(body, word.start), lineOf(body, begin.start)];
    if (!branches.some((branch) => lines.includes(branch.line))) continue;
    const number = first + numbers.length;
    numbers.push(number);
    edits.push(
      {
        start: begin.start,
        end: begin.start,
        text: `${word.end === begin.start ? ' ' : ''}${PROOF_SCHEMA}.branch(${number}, (`,
      },
      { start: last.end, end: last.end, text: '))' },
    );
  }
  return { body: edited(body, edits), numbers };
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
