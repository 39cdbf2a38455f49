/** Cursors that are fetched row by row to their end: each such loop is a FOR loop over the query. */
import type { Evaluation } from '../evaluate.ts';
import type { CodeText, Step } from '../program.ts';

type ForQuery = Extract<Step, { kind: 'for-query' }>;
type While = Extract<Step, { kind: 'while' }>;
export type FetchLoop = ForQuery & {
  readonly source: Extract<ForQuery['source'], { kind: 'cursor' }>;
};

/** `LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; … END LOOP` is a FOR loop over the cursor. */
export function fetchLoop(step: While): FetchLoop | null {
  const [fetch, exit, ...body] = step.body;
  if (step.condition !== null || fetch?.kind !== 'fetch' || !fetch.next || fetch.move) return null;
  if (exit?.kind !== 'exit' || exit.again || !exit.condition || !isNotFound(exit.condition))
    return null;
  return {
    kind: 'for-query',
    line: step.line,
    label: step.label,
    targets: fetch.targets,
    source: { kind: 'cursor', name: fetch.cursor, arguments: null },
    body,
  };
}

/**
 * `FETCH c INTO r; WHILE FOUND LOOP …; FETCH c INTO r; END LOOP`: the same, with the first row
 * fetched before. Null where the two steps have another form.
 */
export function fetchedLoop(fetch: Step | undefined, loop: Step | undefined): FetchLoop | null {
  if (
    fetch?.kind !== 'fetch' ||
    loop?.kind !== 'while' ||
    loop.condition?.text.trim().toLowerCase() !== 'found'
  )
    return null;
  const last = loop.body.at(-1);
  const again =
    last?.kind === 'fetch' &&
    last.cursor === fetch.cursor &&
    last.next &&
    JSON.stringify(last.targets) === JSON.stringify(fetch.targets);
  if (!again || !fetch.next || fetch.move) return null;
  return {
    kind: 'for-query',
    line: loop.line,
    label: loop.label,
    targets: fetch.targets,
    source: { kind: 'cursor', name: fetch.cursor, arguments: null },
    body: loop.body.slice(0, -1),
  };
}

/** Whether the step after an OPEN, or the one after a FETCH, is a loop over that cursor. */
export function isReadByLoop(steps: readonly Step[], index: number, cursor: string): boolean {
  const [next, afterNext] = [steps[index + 1], steps[index + 2]];
  const loop = next?.kind === 'while' ? fetchLoop(next) : fetchedLoop(next, afterNext);
  return loop?.source.name === cursor;
}

/** A cursor that a loop reads at once has the rows of its query then and there. */
export function openCursor(evaluation: Evaluation, step: Extract<Step, { kind: 'open' }>): void {
  if (step.query?.kind === 'query')
    evaluation.cursors.set(step.cursor, { query: step.query.query, parameters: [] });
  evaluation.cursorArguments.set(step.cursor, step.arguments);
}

function isNotFound(code: CodeText): boolean {
  return code.text.replaceAll(/\s+/gu, ' ').trim().toLowerCase() === 'not found';
}
