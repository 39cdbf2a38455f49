import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PHASES } from '../../src/core/lifecycle/state.ts';
import type { Metadata } from '../../src/ports/metadata.ts';
import { watchAction } from '../../src/usecases/watch.ts';
import { work } from '../../src/usecases/work.ts';
import type { BatchWork, WorkerEnd } from '../../src/usecases/work.ts';
import {
  claimed,
  events,
  finish,
  PLAN,
  statuses,
  useMetadata,
} from '../adapters/postgres/metadata-harness.ts';

const { open, started } = useMetadata();

/** Hundred times as fast as the real one. */
const clock = {
  now: () => new Date().toISOString(),
  sleep: async (milliseconds: number, signal?: AbortSignal) => {
    await delay(milliseconds / 100, undefined, signal === undefined ? {} : { signal }).catch(
      () => undefined,
    );
  },
};

interface Started {
  readonly end: Promise<WorkerEnd>;
  readonly metadata: Metadata;
  readonly ending: AbortController;
}

async function worker(name: string, run: BatchWork, most = 4): Promise<Started> {
  const metadata = await open();
  await metadata.join(PLAN);
  const ending = new AbortController();
  const watch = await watchAction(metadata, clock, { ending: ending.signal, onWarning: () => {} });
  const end = work({
    metadata,
    clock,
    watch,
    plan: PLAN,
    worker: name,
    most,
    together: 1,
    until: null,
    work: run,
  }).finally(() => watch.close());
  // A test that looks for an error does so later.
  end.catch(() => undefined);
  return { end, metadata, ending };
}

/** Goes through the phases from where each procedure is, and tells what it did. */
function phases(done: string[], stopAfter: (line: string) => Promise<void> | null): BatchWork {
  return async (claim) => {
    for (const phase of PHASES.slice(0, -1)) {
      const batch = claim.before(phase).map(({ id }) => ({ id }));
      if (batch.length === 0) continue;
      await claim.mark(phase, batch);
      for (const { id } of batch) {
        done.push(`${phase} ${id}`);
        await stopAfter(`${phase} ${id}`);
      }
      claim.interruption.throwIfAborted();
    }
    await claim.finish(claim.open.map(({ id }) => ({ id, proof: 'proven', failure: null })));
  };
}

const onwards = (): null => null;

describe('workers', () => {
  it('do everything once, in an order that dependencies allow', async () => {
    const graph: [string, ...string[]][] = Array.from({ length: 30 }, (_, i) => [
      `p${i}`,
      ...(i > 2 ? [`p${Math.floor(i / 3)}`] : []),
    ]);
    const metadata = await started(...graph);
    const done: string[] = [];
    const workers = await Promise.all(
      ['w1', 'w2', 'w3'].map((name) => worker(name, phases(done, onwards))),
    );
    expect(await Promise.all(workers.map(({ end }) => end))).toEqual(['done', 'done', 'done']);
    const proved = done.filter((line) => line.startsWith('prove ')).map((line) => line.slice(6));
    expect(proved.toSorted()).toEqual(graph.map(([id]) => id).toSorted());
    for (const [id, ...needs] of graph) {
      for (const need of needs) expect(proved.indexOf(need)).toBeLessThan(proved.indexOf(id));
    }
    expect(new Set(Object.values(await statuses(metadata)))).toEqual(new Set(['Completed']));
  });

  it('end where only a person can go on', async () => {
    const metadata = await started(['a'], ['b', 'a']);
    const { end } = await worker('w', async (claim) => {
      await claim.finish(
        claim.open.map(({ id }) => ({ id, proof: 'refused', failure: 'line 3: COPY' })),
      );
    });
    expect(await end).toBe('needs a person');
    expect(await statuses(metadata)).toEqual({ a: 'Failed', b: 'Blocked' });
    const messages = (await metadata.logs(PLAN, { id: 'a' })).map(({ message }) => message);
    expect(messages).toEqual(['Taken up.', 'line 3: COPY']);
  });

  it('go on from the mark after STOP, without a restart', async () => {
    const metadata = await started(['a']);
    const done: string[] = [];
    const first = await worker(
      'w1',
      phases(done, async (line) => {
        if (line !== 'translate a') return;
        first.ending.abort();
      }),
    );
    expect(await first.end).toBe('stopped');
    expect((await metadata.members(PLAN)).get('a')?.state).toMatchObject({
      status: 'Pending',
      attempt: { mark: 'translate', restarts: 0, finishedAt: null },
    });
    const second = await worker('w2', phases(done, onwards));
    expect(await second.end).toBe('done');
    expect(done).toEqual(PHASES.slice(0, -1).map((phase) => `${phase} a`));
    expect((await metadata.members(PLAN)).get('a')?.state.attempt?.restarts).toBe(0);
  });

  it('wait while the action is PAUSE, keep their claim, and go on', async () => {
    const metadata = await started(['a']);
    const done: string[] = [];
    const paused = Promise.withResolvers<undefined>();
    const { end } = await worker('w', async (claim) => {
      if (done.length > 0) return phases(done, onwards)(claim);
      await claim.mark('discover', [{ id: 'a' }]);
      done.push('discover a');
      paused.resolve(undefined);
      // As long as the work goes on without looking, PAUSE must wait for it.
      await new Promise((resolve) => {
        claim.interruption.addEventListener('abort', resolve);
      });
      return claim.interruption.throwIfAborted();
    });
    await paused.promise;
    await metadata.setAction('PAUSE');
    await delay(100);
    expect(await statuses(metadata)).toEqual({ a: 'Running' });
    expect(done).toEqual(['discover a']);
    await metadata.setAction('RUN');
    expect(await end).toBe('done');
    expect(done).toEqual(PHASES.slice(0, -1).map((phase) => `${phase} a`));
    expect((await metadata.members(PLAN)).get('a')?.state.attempt?.restarts).toBe(0);
  });

  it('give back what they hold when they fail, and say why', async () => {
    const metadata = await started(['a'], ['b']);
    const { end } = await worker('w', async (claim) => {
      await claim.mark('discover', claim.open);
      throw new Error('no space left on device');
    });
    await expect(end).rejects.toThrow('no space left on device');
    expect(await statuses(metadata)).toEqual({ a: 'Pending', b: 'Pending' });
    const other = await open();
    expect(await claimed(other, 'w2')).toEqual(['a', 'b']);
  });

  it('record nothing of what another one has taken over', async () => {
    const metadata = await started(['a'], ['b']);
    const { end } = await worker('w1', async (claim) => {
      // What happens where this worker's connection is lost for longer than it notices.
      await metadata.change(PLAN, ['a'], (members) => ({
        ...events({ id: 'a', type: 'take over', claim: 'w2', at: clock.now() })(members),
      }));
      await claim.mark('discover', claim.open);
      expect(claim.open.map(({ id }) => id)).toEqual(['b']);
      await claim.finish(
        ['a', 'b'].map((id) => ({
          id,
          proof: 'proven',
          failure: null,
          artifacts: [{ kind: 'file', contents: new Map([['x', id]]) }],
        })),
      );
      await metadata.change(PLAN, ['a'], events(finish('a', 'w2', 'It was w2.')));
    });
    expect(await end).toBe('needs a person');
    expect(await statuses(metadata)).toEqual({ a: 'Failed', b: 'Completed' });
    expect((await metadata.artifacts(PLAN)).map(({ id }) => id)).toEqual(['b']);
  });

  it('take no new work when their time is over', async () => {
    const metadata = await started(['a']);
    const watch = await watchAction(metadata, clock, {
      ending: new AbortController().signal,
      onWarning: () => {},
    });
    const run = phases([], onwards);
    const options = {
      metadata,
      clock,
      watch,
      plan: PLAN,
      worker: 'w',
      most: 1,
      together: 1,
      work: run,
    };
    expect(await work({ ...options, until: Date.now() - 1 })).toBe('out of time');
    expect(await statuses(metadata)).toEqual({ a: 'Pending' });
    expect(await work({ ...options, until: Date.now() + 60_000 })).toBe('done');
    await watch.close();
  });

  it('leave a procedure to a person that took six of them down', async () => {
    const metadata = await started(['a'], ['b', 'a']);
    for (let death = 0; death < 6; death += 1) {
      const dying = await open();
      expect(await claimed(dying, `d${death}`)).toEqual(['a']);
      await dying.close();
    }
    const { end } = await worker('w', phases([], onwards));
    expect(await end).toBe('needs a person');
    const row = (await metadata.members(PLAN)).get('a')?.state;
    expect(row).toMatchObject({ status: 'Failed', attempt: { restarts: 6 } });
    expect(row?.reason).toContain('died 6 times');
  });
});
