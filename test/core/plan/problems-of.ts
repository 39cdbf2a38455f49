/** Problems of a plan, as texts. */
import { expect } from 'vitest';
import { parsePlan } from '../../../src/core/plan/parse.ts';

/** `line:column code message` of each problem. */
export function problemsOf(text: string): string[] {
  const parsed = parsePlan(text);
  expect(parsed.plan === null).toBe(parsed.problems.length > 0);
  return parsed.problems.map(
    ({ line, column, code, message }) => `${line}:${column} ${code} ${message}`,
  );
}
