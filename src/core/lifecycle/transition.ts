/** The state machine of `state.ts`: the only place that decides a status. */
import { isPast, MAX_RESTARTS } from './state.ts';
import type { Outcome, ProcedureEvent, ProcedureState } from './state.ts';

/** Why an event can't happen to a procedure in its present state. */
export interface Rejection {
  readonly code: 'wrong-status' | 'not-yours' | 'no-model' | 'backwards';
  readonly message: string;
}

export type Transition =
  | { readonly ok: true; readonly state: ProcedureState }
  | { readonly ok: false; readonly rejection: Rejection };

/**
 * What an event makes of a procedure. Total: an event that makes no sense in the state is
 * rejected with words for the person or worker that caused it, never an exception.
 */
export function transition(state: ProcedureState, event: ProcedureEvent): Transition {
  switch (event.type) {
    case 'dependencies':
      return onDependencies(state, event.open);
    case 'claim':
      return onClaim(state, event.claim, event.at);
    case 'take over':
      return onTakeOver(state, event.claim, event.at);
    case 'mark':
      return onMark(state, event);
    case 'release':
      return ifHeld(state, event.claim, () => ({ ...state, status: 'Pending', claim: null }));
    case 'finish':
      return ifHeld(state, event.claim, () => onFinish(state, event));
    case 'retry':
      return onRetry(state);
    case 'manual':
      return onManual(state);
    case 'skip':
      return onSkip(state, event.at);
    case 'accept':
      return onAccept(state, event.at, event.hasModel);
  }
}

function onDependencies(state: ProcedureState, open: number): Transition {
  if (state.status === 'Pending' && open > 0) return to({ ...state, status: 'Blocked' });
  if (state.status === 'Blocked' && open === 0) return to({ ...state, status: 'Pending' });
  return to(state);
}

function onClaim(state: ProcedureState, claim: string, at: string): Transition {
  if (state.status !== 'Pending') return wrongStatus(state, 'Only a pending procedure is claimed.');
  const attempt =
    state.attempt !== null && state.attempt.finishedAt === null
      ? state.attempt
      : { startedAt: at, finishedAt: null, mark: null, restarts: 0 };
  return to({ ...state, status: 'Running', claim, attempt, proof: null, reason: null });
}

function onTakeOver(state: ProcedureState, claim: string, at: string): Transition {
  if (state.status !== 'Running' || state.attempt === null) {
    return wrongStatus(state, 'Only a running procedure is taken over.');
  }
  const restarts = state.attempt.restarts + 1;
  if (restarts <= MAX_RESTARTS) {
    return to({ ...state, claim, attempt: { ...state.attempt, restarts } });
  }
  const phase = state.attempt.mark === null ? 'at its start' : `after "${state.attempt.mark}"`;
  return to({
    ...end({ ...state, attempt: { ...state.attempt, restarts } }, 'Failed', at),
    reason:
      `Its worker died ${restarts} times, each time ${phase} or later. ` +
      'Look at the machine (memory, disk) and at the log, then retry it.',
  });
}

function onMark(
  state: ProcedureState,
  event: Extract<ProcedureEvent, { type: 'mark' }>,
): Transition {
  const { attempt } = state;
  if (attempt === null || isPast(attempt.mark, event.phase)) {
    return reject('backwards', `The phase "${event.phase}" was finished before.`);
  }
  return ifHeld(state, event.claim, () => ({
    ...state,
    attempt: { ...attempt, mark: event.phase },
  }));
}

function onFinish(
  state: ProcedureState,
  event: Extract<ProcedureEvent, { type: 'finish' }>,
): ProcedureState {
  const good = state.route === 'manual' ? 'Completed (manual)' : 'Completed';
  return {
    ...end(state, event.failure === null ? good : 'Failed', event.at),
    proof: event.proof,
    reason: event.failure,
  };
}

function onRetry(state: ProcedureState): Transition {
  if (state.status !== 'Failed' && state.status !== 'Skipped') {
    return wrongStatus(state, 'Only a failed or skipped procedure can be retried.');
  }
  return to({ ...state, status: 'Pending', proof: null, reason: null });
}

function onManual(state: ProcedureState): Transition {
  if (state.status === 'Running' || isCompleted(state)) {
    return wrongStatus(state, 'A model of your own is taken before it completes.');
  }
  // What an open attempt has reached belongs to the generated model.
  const attempt =
    state.attempt === null || state.attempt.finishedAt !== null
      ? state.attempt
      : { ...state.attempt, mark: null };
  const status = state.status === 'Blocked' ? 'Blocked' : 'Pending';
  return to({ ...state, status, attempt, route: 'manual', proof: null, reason: null });
}

function onSkip(state: ProcedureState, at: string): Transition {
  if (state.status === 'Skipped') return to(state);
  if (state.status === 'Running') {
    return wrongStatus(state, 'Stop or pause the run first, or wait until it has failed.');
  }
  if (isCompleted(state)) return wrongStatus(state, 'What is completed need not be skipped.');
  return to({ ...end(state, 'Skipped', at), reason: null });
}

function onAccept(state: ProcedureState, at: string, hasModel: boolean): Transition {
  if (state.status !== 'Failed') {
    return wrongStatus(state, 'Only a failed procedure can be accepted.');
  }
  if (!hasModel) {
    return reject(
      'no-model',
      'There is no model to accept: it was not translated. ' +
        'Put one on the run’s branch and use "manual", or "skip" it.',
    );
  }
  return to(end(state, 'Completed (accepted)', at));
}

/** Closes the attempt, or makes one that is closed at once where there was none. */
function end(state: ProcedureState, status: Outcome, at: string): ProcedureState {
  const { startedAt, restarts } = state.attempt ?? { startedAt: at, restarts: 0 };
  return {
    ...state,
    status,
    claim: null,
    attempt: { startedAt, finishedAt: at, mark: status, restarts },
  };
}

function ifHeld(state: ProcedureState, claim: string, next: () => ProcedureState): Transition {
  if (state.status !== 'Running') return wrongStatus(state, 'It is not running any more.');
  if (state.claim !== claim) {
    return reject('not-yours', 'Another worker has taken it over.');
  }
  return to(next());
}

function isCompleted(state: ProcedureState): boolean {
  return state.status.startsWith('Completed');
}

function wrongStatus(state: ProcedureState, advice: string): Transition {
  return reject('wrong-status', `It is ${state.status}. ${advice}`);
}

function reject(code: Rejection['code'], message: string): Transition {
  return { ok: false, rejection: { code, message } };
}

function to(state: ProcedureState): Transition {
  return { ok: true, state };
}
