import { describe, expect, it } from 'vitest';
import type { RunMember } from '../../../src/core/lifecycle/run.ts';
import { INITIAL_STATE } from '../../../src/core/lifecycle/state.ts';
import type { ProcedureState, Status } from '../../../src/core/lifecycle/state.ts';
import { step } from '../../../src/core/lifecycle/step.ts';

const AT = '2026-01-01T00:00:00.000Z';

function members(
  ...rows: [id: string, state: Partial<ProcedureState>, ...dependsOn: string[]][]
): Map<string, RunMember> {
  return new Map(
    rows.map(([id, state, ...dependsOn]) => [
      id,
      { id, dependsOn, pipelines: [], state: { ...INITIAL_STATE, ...state } },
    ]),
  );
}

const running: Partial<ProcedureState> = {
  status: 'Running',
  claim: 'w',
  attempt: { startedAt: AT, finishedAt: null, mark: null, restarts: 0 },
};

function statuses(run: Map<string, RunMember>, ...events: Parameters<typeof step>[1]): unknown {
  const { states } = step(run, events);
  return Object.fromEntries([...states].map(([id, { status }]): [string, Status] => [id, status]));
}

describe('step', () => {
  const finish = { type: 'finish', claim: 'w', at: AT, proof: 'proven', failure: null } as const;

  it('frees what waits only for what has completed', () => {
    const run = members(
      ['a', running],
      ['b', { status: 'Blocked' }, 'a'],
      ['c', { status: 'Blocked' }, 'a', 'x'],
      ['x', { status: 'Failed' }],
    );
    expect(statuses(run, { id: 'a', ...finish })).toEqual({ a: 'Completed', b: 'Pending' });
  });

  it('frees what waits for several that complete together', () => {
    const run = members(['a', running], ['b', running], ['c', { status: 'Blocked' }, 'a', 'b']);
    expect(statuses(run, { id: 'a', ...finish }, { id: 'b', ...finish })).toEqual({
      a: 'Completed',
      b: 'Completed',
      c: 'Pending',
    });
  });

  it('leaves those blocked that wait for a failed one', () => {
    const run = members(['a', running], ['b', { status: 'Blocked' }, 'a']);
    expect(statuses(run, { id: 'a', ...finish, failure: 'no' })).toEqual({ a: 'Failed' });
  });

  it('blocks again what waits for one that is brought back', () => {
    const run = members(['a', { status: 'Skipped' }], ['b', {}, 'a']);
    expect(statuses(run, { id: 'a', type: 'retry' })).toEqual({ a: 'Pending', b: 'Blocked' });
  });

  it('blocks one that is retried before what it reads is there', () => {
    const run = members(['a', running], ['b', { status: 'Failed', reason: 'x' }, 'a']);
    expect(statuses(run, { id: 'b', type: 'retry' })).toEqual({ b: 'Blocked' });
  });

  it('looks at everything when nothing has happened: the start of a run', () => {
    expect(statuses(members(['a', {}], ['b', {}, 'a'], ['c', {}, 'b']))).toEqual({
      b: 'Blocked',
      c: 'Blocked',
    });
  });

  it('says what was rejected and does the rest', () => {
    const run = members(['a', {}], ['b', { status: 'Completed' }]);
    const { states, rejections } = step(run, [
      { id: 'a', type: 'skip', at: AT },
      { id: 'b', type: 'skip', at: AT },
    ]);
    expect([...states.keys()]).toEqual(['a']);
    expect(rejections).toEqual([
      { id: 'b', rejection: expect.objectContaining({ code: 'wrong-status' }) as unknown },
    ]);
  });
});
