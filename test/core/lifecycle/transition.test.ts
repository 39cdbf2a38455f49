import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  INITIAL_STATE,
  isDone,
  isOutcome,
  isPast,
  MAX_RESTARTS,
  PHASES,
} from '../../../src/core/lifecycle/state.ts';
import type { ProcedureEvent, ProcedureState } from '../../../src/core/lifecycle/state.ts';
import { transition } from '../../../src/core/lifecycle/transition.ts';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:01:00.000Z';

function after(...events: ProcedureEvent[]): ProcedureState {
  return events.reduce((state, event) => {
    const next = transition(state, event);
    if (!next.ok) throw new Error(`${event.type}: ${next.rejection.message}`);
    return next.state;
  }, INITIAL_STATE);
}

function rejection(state: ProcedureState, event: ProcedureEvent): string {
  const next = transition(state, event);
  return next.ok ? 'accepted' : next.rejection.code;
}

const claim: ProcedureEvent = { type: 'claim', claim: 'w1', at: AT };
const takeOver: ProcedureEvent = { type: 'take over', claim: 'w2', at: LATER };
const proven: ProcedureEvent = {
  type: 'finish',
  claim: 'w1',
  at: LATER,
  proof: 'proven',
  failure: null,
};
const mismatch: ProcedureEvent = { ...proven, proof: 'mismatch', failure: '2 rows differ' };

describe('a procedure', () => {
  it('is claimed, marked phase by phase and completed', () => {
    const state = after(
      claim,
      ...PHASES.map((phase): ProcedureEvent => ({ type: 'mark', claim: 'w1', phase })),
      proven,
    );
    expect(state).toEqual({
      status: 'Completed',
      route: 'automatic',
      claim: null,
      proof: 'proven',
      reason: null,
      attempt: { startedAt: AT, finishedAt: LATER, mark: 'Completed', restarts: 0 },
    });
  });

  it('is Blocked while something it reads is open, and Pending again by itself', () => {
    const blocked = after({ type: 'dependencies', open: 2 });
    expect(blocked.status).toBe('Blocked');
    expect(rejection(blocked, claim)).toBe('wrong-status');
    const ready = after(
      { type: 'dependencies', open: 2 },
      { type: 'dependencies', open: 1 },
      { type: 'dependencies', open: 0 },
    );
    expect(ready).toEqual(INITIAL_STATE);
  });

  it('goes on from its mark after a clean stop, without counting a restart', () => {
    const mark: ProcedureEvent = { type: 'mark', claim: 'w1', phase: 'build' };
    const released = after(claim, mark, { type: 'release', claim: 'w1' });
    expect(released.status).toBe('Pending');
    const again = after(
      claim,
      mark,
      { type: 'release', claim: 'w1' },
      { type: 'claim', claim: 'w2', at: LATER },
    );
    expect(again.attempt).toEqual({
      startedAt: AT,
      finishedAt: null,
      mark: 'build',
      restarts: 0,
    });
  });

  it('goes on from its mark after a crash, and counts it', () => {
    const state = after(claim, { type: 'mark', claim: 'w1', phase: 'prove' }, takeOver);
    expect(state.attempt).toMatchObject({ mark: 'prove', restarts: 1 });
    expect(state.claim).toBe('w2');
  });

  it(`fails with the reason after more than ${MAX_RESTARTS} restarts`, () => {
    const deaths = (count: number): ProcedureState =>
      after(claim, ...Array.from({ length: count }, () => takeOver));
    expect(deaths(MAX_RESTARTS).status).toBe('Running');
    expect(deaths(MAX_RESTARTS + 1)).toMatchObject({
      status: 'Failed',
      claim: null,
      attempt: { restarts: MAX_RESTARTS + 1, finishedAt: LATER },
      reason: expect.stringContaining('died 6 times') as string,
    });
  });

  it('does not let a worker record that was taken over', () => {
    const state = after(claim, takeOver);
    expect(rejection(state, proven)).toBe('not-yours');
    expect(rejection(state, { type: 'mark', claim: 'w1', phase: 'discover' })).toBe('not-yours');
    expect(rejection(state, { type: 'release', claim: 'w1' })).toBe('not-yours');
  });

  it('keeps the record of a failed attempt until it is tried again', () => {
    const queued = after(claim, mismatch, { type: 'retry' });
    expect(queued).toMatchObject({ status: 'Pending', proof: null, reason: null });
    expect(queued.attempt).toMatchObject({ mark: 'Failed', finishedAt: LATER });
    const again = after(claim, mismatch, { type: 'retry' }, { ...claim, at: LATER });
    expect(again.attempt).toEqual({
      startedAt: LATER,
      finishedAt: null,
      mark: null,
      restarts: 0,
    });
  });

  it('completes as manual when a person’s model is proven', () => {
    expect(after(claim, mismatch, { type: 'manual' }, claim, proven).status).toBe(
      'Completed (manual)',
    );
  });

  it('forgets what it reached with the generated model when a person brings one', () => {
    const state = after(
      claim,
      { type: 'mark', claim: 'w1', phase: 'build' },
      { type: 'release', claim: 'w1' },
      { type: 'manual' },
    );
    expect(state.attempt?.mark).toBeNull();
  });

  it('is accepted only when it failed and there is a model', () => {
    const failed = after(claim, mismatch);
    expect(rejection(failed, { type: 'accept', at: LATER, hasModel: false })).toBe('no-model');
    expect(rejection(INITIAL_STATE, { type: 'accept', at: LATER, hasModel: true })).toBe(
      'wrong-status',
    );
    const accepted = after(claim, mismatch, { type: 'accept', at: LATER, hasModel: true });
    expect(accepted).toMatchObject({
      status: 'Completed (accepted)',
      proof: 'mismatch',
      reason: '2 rows differ',
    });
  });

  it('can be skipped before it ever ran, and brought back', () => {
    const skipped = after({ type: 'skip', at: AT });
    expect(skipped.attempt).toEqual({
      startedAt: AT,
      finishedAt: AT,
      mark: 'Skipped',
      restarts: 0,
    });
    expect(after({ type: 'skip', at: AT }, { type: 'retry' }).status).toBe('Pending');
  });

  it('is not skipped under the hands of its worker, nor after completing', () => {
    expect(rejection(after(claim), { type: 'skip', at: AT })).toBe('wrong-status');
    expect(rejection(after(claim, proven), { type: 'skip', at: AT })).toBe('wrong-status');
  });
});

const claims = fc.constantFrom('w1', 'w2', 'w3');
const instants = fc
  .integer({ min: 0, max: 86_400_000 })
  .map((ms) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString());
const events: fc.Arbitrary<ProcedureEvent> = fc.oneof(
  fc.record({ type: fc.constant('dependencies' as const), open: fc.nat({ max: 2 }) }),
  fc.record({ type: fc.constant('claim' as const), claim: claims, at: instants }),
  fc.record({ type: fc.constant('take over' as const), claim: claims, at: instants }),
  fc.record({
    type: fc.constant('mark' as const),
    claim: claims,
    phase: fc.constantFrom(...PHASES),
  }),
  fc.record({ type: fc.constant('release' as const), claim: claims }),
  fc.record({
    type: fc.constant('finish' as const),
    claim: claims,
    at: instants,
    proof: fc.constantFrom('proven' as const, 'mismatch' as const, null),
    failure: fc.option(fc.constant('it did not work')),
  }),
  fc.constant({ type: 'retry' as const }),
  fc.constant({ type: 'manual' as const }),
  fc.record({ type: fc.constant('skip' as const), at: instants }),
  fc.record({ type: fc.constant('accept' as const), at: instants, hasModel: fc.boolean() }),
);

/** Every state on the way, with the event that led to it. */
function walk(
  sequence: readonly ProcedureEvent[],
): { before: ProcedureState; event: ProcedureEvent; state: ProcedureState; ok: boolean }[] {
  let state = INITIAL_STATE;
  return sequence.map((event) => {
    const before = state;
    const next = transition(before, event);
    if (next.ok) state = next.state;
    return { before, event, state, ok: next.ok };
  });
}

describe('whatever happens to a procedure', () => {
  it('has a claim exactly while it runs, and a closed attempt exactly at its end', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
        for (const { state } of walk(sequence)) {
          expect(state.claim !== null).toBe(state.status === 'Running');
          if (state.status === 'Running') expect(state.attempt?.finishedAt).toBeNull();
          if (isOutcome(state.status)) {
            expect(state.attempt?.finishedAt).not.toBeNull();
            expect(state.attempt?.mark).toBe(state.status);
          }
          if (state.status === 'Failed') expect(state.reason).not.toBeNull();
          if (state.status.startsWith('Completed') && state.status !== 'Completed (accepted)') {
            expect(state.reason).toBeNull();
          }
        }
      }),
    );
  });

  it('never goes backwards in an open attempt, and never forgets a restart', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
        for (const { before, event, state } of walk(sequence)) {
          const open = before.attempt !== null && before.attempt.finishedAt === null;
          if (!open || event.type === 'manual') continue;
          expect(state.attempt?.startedAt).toBe(before.attempt.startedAt);
          expect(state.attempt?.restarts).toBeGreaterThanOrEqual(before.attempt.restarts);
          for (const phase of PHASES) {
            if (isPast(before.attempt.mark, phase)) {
              expect(isPast(state.attempt?.mark ?? null, phase)).toBe(true);
            }
          }
        }
      }),
    );
  });

  it('is proven again only after a person or the plan asked for it', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (sequence) => {
        for (const { before, event, state } of walk(sequence)) {
          if (isOutcome(before.status) && !isOutcome(state.status)) {
            expect(['retry', 'manual']).toContain(event.type);
          }
          if (isDone(before.status) && before.status !== 'Skipped') {
            expect(state.status).toBe(before.status);
          }
        }
      }),
    );
  });

  it('listens only to the worker that holds it', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
        for (const { before, event, ok } of walk(sequence)) {
          if (event.type === 'mark' || event.type === 'release' || event.type === 'finish') {
            if (ok) expect(event.claim).toBe(before.claim);
          }
        }
      }),
    );
  });
});
