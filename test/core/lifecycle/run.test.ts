import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  batchSize,
  openDependencies,
  summarizeRun,
  waitingOf,
} from '../../../src/core/lifecycle/run.ts';
import type { PipelineFacts } from '../../../src/core/lifecycle/pipelines.ts';
import type { RunMember } from '../../../src/core/lifecycle/run.ts';
import { INITIAL_STATE } from '../../../src/core/lifecycle/state.ts';
import type { ProcedureEvent, Status } from '../../../src/core/lifecycle/state.ts';
import { transition } from '../../../src/core/lifecycle/transition.ts';

function run(
  ...procedures: [id: string, status: Status, ...dependsOn: string[]][]
): Map<string, RunMember> {
  return new Map(
    procedures.map(([id, status, ...dependsOn]) => [
      id,
      {
        id,
        dependsOn: dependsOn.filter((name) => !pipelines.has(name)),
        pipelines: dependsOn.flatMap((name) => pipelines.get(name) ?? []),
        state: { ...INITIAL_STATE, status },
      },
    ]),
  );
}

/** Pipelines that a procedure can name among what it depends on. */
const pipelines = new Map<string, PipelineFacts>([
  ['open', facts('open', {})],
  ['loaded', facts('loaded', { loadedAt: '2026-01-01T00:00:00.000Z' })],
  ['broken', facts('broken', { failure: 'no such table' })],
  ['held', facts('held', { heldBy: 'broken' })],
]);

function facts(id: string, more: Partial<PipelineFacts>): PipelineFacts {
  return { id, moving: false, loadedAt: null, failure: null, heldBy: null, ...more };
}

function member(members: Map<string, RunMember>, id: string): RunMember {
  const found = members.get(id);
  if (found === undefined) throw new Error(id);
  return found;
}

describe('waitingOf', () => {
  it('says for what a procedure waits', () => {
    const members = run(['a', 'Running'], ['b', 'Completed'], ['c', 'Blocked', 'a', 'b']);
    expect([...waitingOf(members)]).toEqual([['c', { waitsFor: ['a'], message: null }]]);
  });

  it('names the failed procedure at the end of the chain, and the ways out', () => {
    const members = run(['a', 'Failed'], ['b', 'Blocked', 'a'], ['c', 'Blocked', 'b']);
    expect(waitingOf(members).get('c')).toEqual({
      waitsFor: ['a'],
      message: 'waits behind a, which failed: retry, skip, manual or accept it',
    });
  });

  it('names each failed one once, whatever ways lead to it', () => {
    const members = run(
      ['a', 'Failed'],
      ['b', 'Blocked', 'a'],
      ['c', 'Blocked', 'a'],
      ['x', 'Failed'],
      ['d', 'Blocked', 'b', 'c', 'x'],
    );
    expect(waitingOf(members).get('d')?.waitsFor).toEqual(['a', 'x']);
  });

  it('names the pipeline that is to load a table', () => {
    const members = run(['a', 'Blocked', 'open', 'loaded'], ['b', 'Blocked', 'a', 'open']);
    expect(waitingOf(members).get('a')).toEqual({ waitsFor: ['pipeline open'], message: null });
    expect(waitingOf(members).get('b')?.waitsFor).toEqual(['pipeline open', 'a']);
  });

  it('names the pipeline that failed, also where another one is held up by it', () => {
    const message =
      'waits behind pipeline broken, which failed: mend what its row says, then retry it';
    const members = run(
      ['a', 'Blocked', 'broken'],
      ['b', 'Blocked', 'held'],
      ['c', 'Blocked', 'b'],
    );
    for (const id of ['a', 'b', 'c']) {
      expect(waitingOf(members).get(id)).toEqual({ waitsFor: ['pipeline broken'], message });
    }
  });

  it('cuts long lists', () => {
    const members = run(
      ...['a', 'b', 'c', 'd', 'e'].map((id): [string, Status] => [id, 'Failed']),
      ['z', 'Blocked', 'a', 'b', 'c', 'd', 'e'],
    );
    expect(waitingOf(members).get('z')?.message).toContain('behind a, b, c and 2 more, which');
  });
});

describe('openDependencies', () => {
  it('does not count procedures outside the run, skipped ones or itself', () => {
    const members = run(['a', 'Skipped'], ['b', 'Pending', 'a', 'b', 'elsewhere']);
    expect(openDependencies(member(members, 'b'), members)).toBe(0);
  });

  it('counts pipelines until they are loaded', () => {
    const members = run(['a', 'Pending', 'open', 'loaded', 'broken', 'held']);
    expect(openDependencies(member(members, 'a'), members)).toBe(3);
  });
});

describe('summarizeRun', () => {
  it('knows when nothing is left for a worker', () => {
    const states = (...statuses: Status[]): { state: string } =>
      summarizeRun(
        statuses.map((status) => ({ ...INITIAL_STATE, status })),
        [],
      );
    expect(states('Completed', 'Skipped', 'Completed (manual)').state).toBe('done');
    expect(states('Completed', 'Failed', 'Blocked').state).toBe('needs a person');
    expect(states('Failed', 'Pending').state).toBe('open');
    expect(states('Failed', 'Running').state).toBe('open');
    expect(states().state).toBe('done');
  });

  it('is open while a pipeline is to be loaded, and needs a person where one is held', () => {
    const of = (status: Status, ...names: string[]): string =>
      summarizeRun(
        [{ ...INITIAL_STATE, status }],
        names.flatMap((name) => pipelines.get(name) ?? []),
      ).state;
    expect(of('Blocked', 'open', 'broken')).toBe('open');
    expect(of('Blocked', 'loaded', 'broken')).toBe('needs a person');
    // Loaded a moment before STOP: no worker has let it go on yet.
    expect(of('Blocked', 'loaded')).toBe('open');
    expect(of('Completed', 'held')).toBe('needs a person');
    expect(of('Completed', 'loaded')).toBe('done');
  });
});

describe('batchSize', () => {
  it('shares what is ready among the workers', () => {
    expect(batchSize(24, 4, 50)).toBe(6);
    expect(batchSize(1, 4, 50)).toBe(1);
    expect(batchSize(1000, 4, 50)).toBe(50);
    expect(batchSize(0, 0, 50)).toBe(1);
  });
});

/** A run of any shape, any order of work, any failures: nothing waits for ever. */
describe('a run over any graph', () => {
  it('ends with everything done or behind a failed procedure', () => {
    const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
      fc
        .array(fc.record({ from: fc.nat({ max: size - 1 }), to: fc.nat({ max: size - 1 }) }), {
          maxLength: 20,
        })
        .map((edges) => ({ size, edges })),
    );
    fc.assert(
      fc.property(
        graphs,
        fc.infiniteStream(fc.nat({ max: 1000 })),
        fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
        ({ size, edges }, picks, luck) => {
          const members = run(
            ...Array.from({ length: size }, (_, index): [string, Status, ...string[]] => [
              `p${index}`,
              'Pending',
              ...edges
                .filter(({ from, to }) => from === index && to < index)
                .map(({ to }) => `p${to}`),
            ]),
          );
          const apply = (id: string, event: ProcedureEvent): void => {
            const next = transition(member(members, id).state, event);
            if (!next.ok) throw new Error(next.rejection.message);
            members.set(id, { ...member(members, id), state: next.state });
          };
          const settle = (): void => {
            for (const one of members.values()) {
              apply(one.id, { type: 'dependencies', open: openDependencies(one, members) });
            }
          };
          settle();
          const at = '2026-01-01T00:00:00.000Z';
          for (let step = 0; step < size; step += 1) {
            const ready = [...members.values()].filter((one) => one.state.status === 'Pending');
            const pick = ready[(picks.next().value ?? 0) % Math.max(1, ready.length)];
            if (pick === undefined) break;
            for (const need of pick.dependsOn) {
              expect(member(members, need).state.status).toBe('Completed');
            }
            apply(pick.id, { type: 'claim', claim: 'w', at });
            const failure = luck.next().value === 0 ? 'broken' : null;
            apply(pick.id, { type: 'finish', claim: 'w', at, proof: null, failure });
            settle();
          }
          const states = [...members.values()].map((one) => one.state);
          expect(summarizeRun(states, []).state).not.toBe('open');
          for (const one of members.values()) {
            if (one.state.status === 'Blocked') {
              expect(waitingOf(members).get(one.id)?.message).toContain('which failed');
            }
          }
        },
      ),
    );
  });
});
