/**
 * LOOP and WHILE: those that step through a range, or page through rows, are one query. Every
 * condition of these forms is checked; any other loop is refused.
 */
import type { Evaluation } from '../evaluate.ts';
import type { CodeText, Step } from '../program.ts';
import type { State } from '../state.ts';
import { applyForQuery } from './loop.ts';
import { assignedIn } from './loop-body.ts';
import { pagedBody } from './paging.ts';
import { steppedLoop } from './stepping.ts';

type While = Extract<Step, { kind: 'while' }>;

export function applyWhile(evaluation: Evaluation, step: While, state: State): State {
  const fetched = fetchLoop(step);
  if (fetched) {
    return applyFetchLoop(evaluation, fetched, state);
  }
  const stepped = steppedLoop(evaluation, step, state);
  if (stepped) return stepped;
  const paged = pagedBody(step, state);
  if (paged) {
    const flow = evaluation.run(paged.body, state);
    if (flow.ending === 'falls-through')
      return evaluation.forget(
        flow.state,
        step.body.flatMap((inner) => assignedIn(inner)),
        step.line,
      );
  }
  throw evaluation.refusal(
    'loop',
    step.line,
    step.condition ? `WHILE ${step.condition.text}` : 'LOOP',
    'The loop is neither one over rows, nor over a range, nor a paging one.',
  );
}

export function applyFetchLoop(evaluation: Evaluation, loop: FetchLoop, state: State): State {
  const given = evaluation.cursorArguments.get(loop.source.name) ?? null;
  return applyForQuery(
    evaluation,
    { ...loop, source: { ...loop.source, arguments: given } },
    state,
  );
}

type ForQuery = Extract<Step, { kind: 'for-query' }>;
type FetchLoop = ForQuery & { readonly source: Extract<ForQuery['source'], { kind: 'cursor' }> };

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

export function isNotFound(code: CodeText): boolean {
  return code.text.replaceAll(/\s+/gu, ' ').trim().toLowerCase() === 'not found';
}
