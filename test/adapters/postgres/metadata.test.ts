import { describe, expect, it } from 'vitest';
import { INITIAL_STATE } from '../../../src/core/lifecycle/state.ts';
import type { RunEvent } from '../../../src/core/lifecycle/step.ts';
import { step } from '../../../src/core/lifecycle/step.ts';
import type { Decide, Metadata } from '../../../src/ports/metadata.ts';
import {
  AT,
  claimAs,
  claimed,
  events,
  finish,
  PLAN,
  statuses,
  useMetadata,
} from './metadata-harness.ts';

const { open, started, rows: table } = useMetadata();

describe('a run in the metadata tables', () => {
  it('is written as the contract says, in UTC', async () => {
    const metadata = await started(['dw.a()'], ['dw.b()', 'dw.a()']);
    expect(await claimed(metadata, 'w1')).toEqual(['dw.a()']);
    const progress =
      'SELECT source, target, operation, transmission, mark, table_name, start_time, finish_time, ' +
      'restarts FROM "wire ""kite""".wirekite_progress';
    const row = ['dw.a()', 'sales:P', 'P', 'F', null, null, '2026-07-01 12:00:00.123', null, '0'];
    expect(await table(progress)).toEqual([row]);
    const mark: RunEvent = { id: 'dw.a()', type: 'mark', claim: 'w1', phase: 'prove' };
    await metadata.change(PLAN, ['dw.a()'], events(mark));
    expect(await table(progress)).toEqual([row.with(4, 'prove')]);
    await metadata.change(PLAN, ['dw.a()'], events(finish('dw.a()', 'w1')));
    expect(await table(progress)).toEqual([
      row.with(4, 'Completed').with(7, '2026-07-01 12:00:00.123'),
    ]);
  });

  it('comes back as it was written', async () => {
    const metadata = await started(['dw.a()'], ['dw.b()', 'dw.a()']);
    await claimed(metadata, 'w1');
    const failed = finish('dw.a()', 'w1', 'It broke: \u{1F4A5} \0 end');
    await metadata.change(PLAN, ['dw.a()'], events(failed));
    expect(await metadata.run(PLAN)).toEqual({
      plan: PLAN,
      planText: '# Plan',
      baseCommit: 'abc',
      startedAt: AT,
      finishedAt: null,
    });
    expect([...(await metadata.members(PLAN)).values()]).toEqual([
      {
        id: 'dw.a()',
        dependsOn: [],
        pipelines: [],
        state: {
          status: 'Failed',
          route: 'automatic',
          claim: null,
          proof: 'proven',
          reason: 'It broke: \u{1F4A5} \u{FFFD} end',
          attempt: { startedAt: AT, finishedAt: AT, mark: 'Failed', restarts: 0 },
        },
      },
      {
        id: 'dw.b()',
        dependsOn: ['dw.a()'],
        pipelines: [],
        state: { ...INITIAL_STATE, status: 'Blocked' },
      },
    ]);
    expect(await metadata.run('other')).toBeNull();
  });

  it('keeps plans apart that share the tables', async () => {
    const metadata = await started(['dw.a()']);
    await metadata.start(
      {
        plan: 'other',
        planText: '',
        baseCommit: null,
        at: AT,
        procedures: [{ id: 'dw.a()', dependsOn: [], pipelines: [] }],
        pipelines: [],
      },
      (members) => ({ states: step(members, []).states }),
    );
    expect(await claimed(metadata, 'w1')).toEqual(['dw.a()']);
    const other = await open();
    expect((await other.claim('other', 1, claimAs('w2'))).map(({ id }) => id)).toEqual(['dw.a()']);
  });

  it('keeps what is known when the plan changes', async () => {
    const metadata = await started(['a'], ['b', 'a'], ['c', 'b']);
    await claimed(metadata, 'w1');
    await metadata.change(PLAN, ['a'], events(finish('a', 'w1')));
    const again = await started(['x'], ['c', 'x'], ['a']);
    expect(await statuses(again)).toEqual({ x: 'Pending', c: 'Blocked', a: 'Completed' });
    const back = await started(['a'], ['b', 'a'], ['c', 'b']);
    expect(await statuses(back)).toEqual({ a: 'Completed', b: 'Pending', c: 'Blocked' });
  });

  it('holds names of any length', async () => {
    const long = `dw.${'ä'.repeat(400)}(integer)`;
    const other = `dw.${'ä'.repeat(400)}(text)`;
    const metadata = await started([long], [other, long]);
    expect(await claimed(metadata, 'w1')).toEqual([long]);
    await metadata.change(PLAN, [long], events(finish(long, 'w1')));
    expect(await statuses(metadata)).toEqual({ [long]: 'Completed', [other]: 'Pending' });
  });
});

describe('a database without the tables', () => {
  it('is said to be so, with what to do', async () => {
    const metadata = await open();
    await expect(metadata.members(PLAN)).rejects.toMatchObject({
      code: 'no-tables',
      advice: expect.stringContaining('sprocket run') as string,
    });
  });
});

describe('work and its mark', () => {
  it('are there together or not at all', async () => {
    const metadata = await started(['a']);
    await claimed(metadata, 'w1');
    const work = (broken: boolean): Decide => {
      return (members) => ({
        ...events(finish('a', 'w1'))(members),
        artifacts: [{ id: 'a', kind: 'file', contents: new Map([['m/a.sql', 'select 1']]) }],
        logs: [{ id: 'a', at: broken ? 'not a time' : AT, level: 'info', message: 'Proven' }],
      });
    };
    await expect(metadata.change(PLAN, ['a'], work(true))).rejects.toThrow('not a time');
    expect(await statuses(metadata)).toEqual({ a: 'Running' });
    expect(await metadata.artifacts(PLAN)).toEqual([]);
    await metadata.change(PLAN, ['a'], work(false));
    expect(await statuses(metadata)).toEqual({ a: 'Completed' });
    expect(await metadata.artifacts(PLAN)).toEqual([
      { id: 'a', kind: 'file', path: 'm/a.sql', content: 'select 1' },
    ]);
  });

  it('takes the place of what was there', async () => {
    const metadata = await started(['a'], ['b']);
    const set = (id: string, files: Record<string, string>): Decide => {
      const contents = new Map(Object.entries(files));
      return () => ({ states: new Map(), artifacts: [{ id, kind: 'file', contents }] });
    };
    await metadata.change(PLAN, ['a'], set('a', { x: '1', y: '2' }));
    await metadata.change(PLAN, ['b'], set('b', { x: '3' }));
    await metadata.change(PLAN, ['a'], set('a', { z: '4' }));
    const paths = (await metadata.artifacts(PLAN)).map(({ id, path }) => `${id}/${path}`);
    expect(paths).toEqual(['a/z', 'b/x']);
    expect(await metadata.artifacts(PLAN, { ids: ['b'], kinds: ['file'] })).toHaveLength(1);
    expect(await metadata.artifacts(PLAN, { kinds: ['verdict'] })).toEqual([]);
  });

  it('is told in the log, in order', async () => {
    const metadata = await started(['a']);
    const line = (id: string | null, message: string) =>
      ({ id, at: AT, level: 'info', message }) as const;
    await metadata.log(PLAN, [line('a', 'one'), line(null, 'two'), line('a', 'th\0ree')]);
    const all = await metadata.logs(PLAN);
    expect(all.map(({ id, message }) => [id, message])).toEqual([
      ['a', 'one'],
      [null, 'two'],
      ['a', 'th\u{FFFD}ree'],
    ]);
    const rest = await metadata.logs(PLAN, { id: 'a', after: all[0]?.number ?? 0 });
    expect(rest.map(({ message }) => message)).toEqual(['th\u{FFFD}ree']);
  });

  it('remembers who decided what', async () => {
    const metadata = await started(['a']);
    const decision = { id: 'a', decision: 'skip', person: 'Ann', reason: null, at: AT } as const;
    await metadata.change(PLAN, ['a'], (members) => ({
      ...events({ id: 'a', type: 'skip', at: AT })(members),
      decisions: [decision],
    }));
    expect(await metadata.decisions(PLAN)).toEqual([decision]);
  });
});

describe('wirekite_action', () => {
  it('can be changed by anybody with SQL', async () => {
    const metadata = await started(['a']);
    expect(await metadata.actions()).toEqual(['RUN']);
    await table(`UPDATE "wire ""kite""".wirekite_action SET action = 'PAUSE'`);
    expect(await metadata.actions()).toEqual(['PAUSE']);
    await table(`INSERT INTO "wire ""kite""".wirekite_action VALUES ('STOP')`);
    expect((await metadata.actions()).toSorted()).toEqual(['PAUSE', 'STOP']);
    await metadata.setAction('RUN');
    expect(await metadata.actions()).toEqual(['RUN']);
    await table(`DELETE FROM "wire ""kite""".wirekite_action`);
    expect(await metadata.actions()).toEqual([]);
  });

  it('holds one row when many set it at once', async () => {
    await started(['a']);
    const people = await Promise.all(Array.from({ length: 5 }, () => open()));
    const words = ['RUN', 'PAUSE', 'STOP', 'RUN', 'PAUSE'] as const;
    await Promise.all(people.map((person, i) => person.setAction(words[i] ?? 'RUN')));
    expect(await people[0]?.actions()).toHaveLength(1);
  });
});

describe('reset', () => {
  async function loaded(): Promise<Metadata> {
    const metadata = await started(['a']);
    await table('CREATE TABLE public."Raw Orders" AS SELECT 1 AS id');
    await table('ALTER TABLE public."Raw Orders" ADD PRIMARY KEY (id)');
    await moved('Raw Orders', 0);
    // Begun, and dropped by somebody since.
    await moved('gone', 1);
    return metadata;
  }
  const moved = (name: string, number: number): Promise<unknown> =>
    table(`INSERT INTO "wire ""kite""".sprocket_move_table
      (plan, number, source_table, mapping, phase, files, complete, estimate, nulled)
      VALUES ('sales', ${number}, 'src.t', '{"target":{"schema":"public","name":"${name}"}}', 'created', 0, 0, 0, 0)`);
  const isStopped = (words: readonly (string | null)[]): boolean => words.includes('STOP');

  async function rows(): Promise<unknown> {
    return table(`SELECT (SELECT count(*) FROM public."Raw Orders"),
      (SELECT count(*) FROM "wire ""kite""".wirekite_progress)`);
  }

  it('empties progress and reloaded tables together', async () => {
    const metadata = await loaded();
    await claimed(metadata, 'w1');
    await metadata.change(PLAN, ['a'], events(finish('a', 'w1')));
    await metadata.unlock(PLAN, ['a']);
    expect(await metadata.reset(PLAN, isStopped)).toEqual({ kind: 'not-stopped' });
    expect(await rows()).toEqual([['1', '1']]);
    await metadata.setAction('STOP');
    expect(await metadata.reset(PLAN, isStopped)).toEqual({
      kind: 'done',
      tables: [{ schema: 'public', name: 'Raw Orders' }],
    });
    expect(await rows()).toEqual([['0', '0']]);
    expect(await metadata.run(PLAN)).toBeNull();
  });

  it('refuses while a worker lives, and while a lock is held without one', async () => {
    const metadata = await loaded();
    await metadata.setAction('STOP');
    const worker = await open();
    expect(await worker.join(PLAN)).toBe(true);
    expect(await metadata.reset(PLAN, isStopped)).toEqual({ kind: 'locked' });
    await worker.close();
    const other = await open();
    await claimed(other, 'w1');
    expect(await metadata.reset(PLAN, isStopped)).toEqual({ kind: 'locked' });
    expect(await rows()).toEqual([['1', '1']]);
    await other.unlock(PLAN, ['a']);
    await other.close();
    await table(`SELECT pg_advisory_lock(hashtextextended('sprocket sales', 0))`);
    expect(await metadata.isMoving(PLAN)).toBe(true);
    expect(await metadata.reset(PLAN, isStopped)).toEqual({ kind: 'locked' });
  });

  it('does nothing where a table can’t be emptied', async () => {
    const metadata = await loaded();
    await metadata.setAction('STOP');
    await table('CREATE TABLE public.lines ("order" int REFERENCES public."Raw Orders")');
    await expect(metadata.reset(PLAN, isStopped)).rejects.toThrow('foreign key');
    expect(await rows()).toEqual([['1', '0']]);
    expect(await metadata.run(PLAN)).not.toBeNull();
  });
});
