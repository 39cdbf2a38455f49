/** Whether two texts of a plan say the same, but for what Sprocket itself writes into it. */
import type { Status } from '../lifecycle/state.ts';
import { setStatus } from './edit.ts';
import type { StatusChange } from './edit.ts';
import { parsePlan } from './parse.ts';

export function isSamePlan(a: string, b: string): boolean {
  return a === b || withoutStatus(a) === withoutStatus(b);
}

/** As it is where it can't be read. */
function withoutStatus(text: string): string {
  const { plan } = parsePlan(text);
  if (plan === null) return text;
  const all = (status: Status): StatusChange[] => [
    ...plan.pipelines.map(({ id }) => ({ kind: 'pipeline' as const, id, status, detail: null })),
    ...plan.procedures.map(({ id }) => ({ kind: 'procedure' as const, id, status, detail: null })),
  ];
  // Twice: a cell that says it already keeps the padding that somebody gave it.
  return setStatus(setStatus(text, all('Skipped')).text, all('Pending')).text;
}
