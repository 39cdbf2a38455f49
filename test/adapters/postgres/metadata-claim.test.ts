import { describe, expect, it } from 'vitest';
import { openMetadata } from '../../../src/adapters/postgres/metadata.ts';
import { step } from '../../../src/core/lifecycle/step.ts';
import {
  AT,
  claimed,
  events,
  finish,
  PLAN,
  SCHEMA,
  statuses,
  useMetadata,
} from './metadata-harness.ts';
import { connectTo } from './scratch-database.ts';

const { open, started, rows: table, url: databaseUrl } = useMetadata();

/** Milliseconds in which a session that is ended has let go of its locks; without them nobody waits for that. */
const END_MS = 10_000;

async function cutConnections(): Promise<void> {
  await table(
    `SELECT pg_terminate_backend(pid, ${END_MS}) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

describe('claims', () => {
  it('give every procedure to one worker only', async () => {
    const ids = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, '0')}`);
    await started(...ids.map((id): [string] => [id]));
    const workers = await Promise.all(Array.from({ length: 6 }, () => open()));
    const lists = await Promise.all(
      workers.map(async (worker, index) => {
        const mine: string[] = [];
        for (let got = [''], round = 0; got.length > 0; round += 1) {
          got = await claimed(worker, `w${index}.${round}`, 4);
          mine.push(...got);
        }
        return mine;
      }),
    );
    expect(lists.flat().toSorted()).toEqual(ids);
  });

  it('pass on to another worker when their holder dies, and count it', async () => {
    await started(['a'], ['b']);
    const first = await open();
    expect(await claimed(first, 'w1')).toEqual(['a', 'b']);
    await first.change(PLAN, ['a'], events({ id: 'a', type: 'mark', claim: 'w1', phase: 'build' }));
    const second = await open();
    expect(await claimed(second, 'w2')).toEqual([]);
    await first.close();
    expect(await claimed(second, 'w2')).toEqual(['a', 'b']);
    const member = (await second.members(PLAN)).get('a');
    expect(member?.state).toMatchObject({ claim: 'w2', attempt: { mark: 'build', restarts: 1 } });
  });

  it('are not taken from a worker between its outcome and its letting go', async () => {
    const first = await started(['a'], ['b', 'a']);
    await claimed(first, 'w1');
    await first.change(PLAN, ['a'], events(finish('a', 'w1')));
    const second = await open();
    expect(await claimed(second, 'w2')).toEqual(['b']);
  });

  it('are let go of where nothing became of them', async () => {
    const first = await started(['a']);
    expect(await first.claim(PLAN, 1, () => null)).toEqual([]);
    await expect(
      first.claim(PLAN, 1, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    const second = await open();
    expect(await claimed(second, 'w2')).toEqual(['a']);
  });

  it('survive a connection that is cut, and so does the work', async () => {
    const metadata = await started(['a'], ['b', 'a']);
    await metadata.join(PLAN);
    await claimed(metadata, 'w1');
    await cutConnections();
    await metadata.change(PLAN, ['a'], events(finish('a', 'w1')));
    expect(await statuses(metadata)).toEqual({ a: 'Completed', b: 'Pending' });
    expect(await metadata.workers(PLAN)).toBe(1);
  });

  it('are lost with the connection where another worker is quicker, and can’t record then', async () => {
    const first = await started(['a']);
    await claimed(first, 'w1');
    const second = await open();
    await table(
      `SELECT pg_terminate_backend(pid, ${END_MS}) FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND d.datname = current_database()`,
    );
    expect(await claimed(second, 'w2')).toEqual(['a']);
    let rejected: unknown;
    await first.change(PLAN, ['a'], (members) => {
      const { states: next, rejections } = step(members, [finish('a', 'w1')]);
      rejected = rejections[0]?.rejection.code;
      return { states: next };
    });
    expect(rejected).toBe('not-yours');
    expect((await second.members(PLAN)).get('a')?.state.claim).toBe('w2');
  });

  it('are not waited for where the process is to end', async () => {
    const hurry = AbortSignal.abort();
    let opened = 0;
    const metadata = await openMetadata({
      open: async () => {
        opened += 1;
        const target = opened === 1 ? databaseUrl() : 'postgresql://nobody@127.0.0.1:1/x';
        return connectTo(target);
      },
      schema: SCHEMA,
      clock: { now: () => AT, sleep: () => Promise.reject(new Error('waited')) },
      hurry,
    });
    await started(['a']);
    await cutConnections();
    await expect(metadata.members(PLAN)).rejects.toMatchObject({ code: 'unreachable' });
    await metadata.close();
  });

  it('end with a clear error where the server stays away', async () => {
    const metadata = await openMetadata({
      open: () => connectTo('postgresql://nobody@127.0.0.1:1/nowhere'),
      schema: SCHEMA,
      clock: { now: () => AT, sleep: () => Promise.resolve() },
    }).catch((error: unknown) => error);
    expect(metadata).toMatchObject({ name: 'ConnectionError', code: 'unreachable' });
    expect(String(metadata)).not.toContain('127.0.0.1');
  });
});

describe('two that finish at the same moment', () => {
  it('do not leave behind what waits for both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const metadata = await started(['a'], ['b'], ['c', 'a', 'b']);
      const workers = [await open(), await open()];
      const held = await Promise.all(workers.map((worker, i) => claimed(worker, `w${i}`, 1)));
      await Promise.all(
        workers.map((worker, i) =>
          worker.change(PLAN, held[i] ?? [], events(finish(held[i]?.[0] ?? '', `w${i}`))),
        ),
      );
      expect(await statuses(metadata)).toEqual({ a: 'Completed', b: 'Completed', c: 'Pending' });
      await metadata.setAction('STOP');
      await Promise.all(workers.map((worker) => worker.close()));
      expect(await metadata.reset(PLAN, () => true)).toMatchObject({ kind: 'done' });
    }
  });
});
