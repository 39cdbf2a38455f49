/**
 * LOOP and WHILE: those that step through a range, or page through rows, are one query. Every
 * condition of these forms is checked; any other loop is refused.
 */
import type { Evaluation } from '../evaluate.ts';
import type { Step } from '../program.ts';
import type { State } from '../state.ts';
import { forget } from './carried.ts';
import { fetchLoop } from './cursor.ts';
import type { FetchLoop } from './cursor.ts';
import { applyForQuery } from './loop.ts';
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
  const paged = pagedBody(evaluation, step, state);
  if (paged) {
    const flow = evaluation.run(paged.body, state);
    if (flow.ending === 'falls-through') return forget(flow.state, step.body, step.line);
  }
  throw evaluation.refusal(
    'loop',
    step.line,
    step.condition ? `WHILE ${step.condition.text}` : 'LOOP',
    'The loop is neither one over rows, nor over a range, nor a paging one.',
  );
}

function applyFetchLoop(evaluation: Evaluation, loop: FetchLoop, state: State): State {
  const given = evaluation.cursorArguments.get(loop.source.name) ?? null;
  return applyForQuery(
    evaluation,
    { ...loop, source: { ...loop.source, arguments: given } },
    state,
  );
}
