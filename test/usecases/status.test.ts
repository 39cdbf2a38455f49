import { expect, it } from 'vitest';
import { statusReader } from '../../src/usecases/status.ts';
import { decide } from '../../src/usecases/control.ts';
import { AT, claimed, events, PLAN, useMetadata } from '../adapters/postgres/metadata-harness.ts';

const { started, rows } = useMetadata();
const clock = { now: () => AT, sleep: () => Promise.resolve() };

it('tells of every procedure what it is at, waits for, failed of and came to', async () => {
  const metadata = await started(['a'], ['b'], ['c', 'b'], ['d', 'c'], ['e', 'a'], ['f']);
  const reader = statusReader(metadata, clock, PLAN);
  await claimed(metadata, 'w', 2);
  await metadata.change(PLAN, ['a'], events({ id: 'a', type: 'mark', claim: 'w', phase: 'build' }));
  await metadata.change(PLAN, ['b'], (members) => ({
    ...events({
      id: 'b',
      type: 'finish',
      claim: 'w',
      at: AT,
      proof: 'mismatch',
      failure: '3 rows differ.',
    })(members),
    artifacts: [
      {
        id: 'b',
        kind: 'verdict',
        contents: new Map([['', JSON.stringify({ models: ['b_model'], rows: 12 })]]),
      },
    ],
  }));
  const status = await reader.read();
  expect(status?.progress).toMatchObject({ plan: PLAN, action: 'RUN' });
  expect(status?.summary.state).toBe('open');
  const found = new Map(status?.progress.rows.map((row) => [row.name, row]));
  expect(found.get('a')).toMatchObject({ status: 'Running', phase: 'prove', startedAt: AT });
  expect(found.get('b')).toMatchObject({
    status: 'Failed',
    message: 'mismatch: 3 rows differ.',
    models: ['b_model'],
    rows: 12,
  });
  expect(found.get('d')).toMatchObject({
    status: 'Blocked',
    waitsFor: ['b'],
    message: 'waits behind b, which failed: retry, skip, manual or accept it',
  });
  expect(found.get('e')).toMatchObject({ status: 'Blocked', waitsFor: ['a'], message: null });
  expect(found.get('f')).toMatchObject({ status: 'Pending', message: null });

  const request = { plan: PLAN, person: 'Ann', reason: null, names: ['b'] };
  await decide(metadata, clock, { ...request, decision: 'skip' });
  const after = await reader.read();
  expect(after?.progress.rows.find(({ name }) => name === 'b')).toMatchObject({
    status: 'Skipped',
    message: null,
  });
});

it('knows no run that was never started', async () => {
  const metadata = await started(['a']);
  expect(await statusReader(metadata, clock, 'other').read()).toBeNull();
});

it('tells of a pipeline how far it is, and of a procedure that it waits for it', async () => {
  const metadata = await started(['a', 'src.orders'], ['b', 'src.items'], ['c']);
  const reader = statusReader(metadata, clock, PLAN);
  const row = async (name: string) =>
    (await reader.read())?.progress.rows.find((each) => each.name === name);
  expect(await row('src.orders')).toMatchObject({ kind: 'pipeline', status: 'Pending' });
  expect(await row('a')).toMatchObject({ status: 'Blocked', waitsFor: ['pipeline src.orders'] });
  expect((await reader.read())?.summary.state).toBe('open');

  const own = '"wire ""kite"""';
  await rows(
    `UPDATE ${own}.sprocket_pipeline SET moving = 1, started_at = '2026-07-01T11:59:50.123Z'`,
  );
  await rows(`INSERT INTO ${own}.sprocket_move_table
    (plan, number, source_table, mapping, phase, files, complete, estimate, nulled)
    VALUES ('${PLAN}', 0, 'src.orders', '{}', 'created', 2, 0, 4000, 0)`);
  await rows(
    `INSERT INTO ${own}.sprocket_move_file (plan, file, number) VALUES ('${PLAN}', 'f0', 0), ('${PLAN}', 'f1', 0)`,
  );
  await rows(`INSERT INTO ${own}.wirekite_progress (source, target, operation, mark, start_time, finish_time, restarts)
    VALUES ('f0', '${PLAN}:D', 'D', '1000', now(), now(), 1), ('f1', '${PLAN}:D', 'D', NULL, now(), NULL, 0)`);
  expect(await row('src.orders')).toMatchObject({
    status: 'Running',
    phase: 'load',
    rows: 1000,
    restarts: 1,
    message: '25 % of about 4,000, 100 rows/s, about 30s left',
  });

  await rows(
    `UPDATE ${own}.sprocket_pipeline SET loaded_at = '${AT}' WHERE pipeline = 'src.orders'`,
  );
  await rows(`INSERT INTO ${own}.sprocket_move_stream (plan, applied, file, changes, source_ms, stalls, cutover)
    VALUES ('${PLAN}', '0/1', 1, 7, ${Date.parse(AT) - 3000}, 0, 'no')`);
  await rows(`INSERT INTO ${own}.sprocket_move_lag (plan, bytes, retained_bytes, status, measured_at)
    VALUES ('${PLAN}', 12345, 67000000, 'extended', '${AT}')`);
  expect(await row('src.orders')).toMatchObject({
    status: 'Completed',
    finishedAt: AT,
    message: 'following, 12 kB and 3s behind, source keeps 67 MB of log, log is extended',
  });

  await rows(
    `UPDATE ${own}.sprocket_pipeline SET failure = 'It has no key.' WHERE pipeline = 'src.items'`,
  );
  expect(await row('src.items')).toMatchObject({ status: 'Failed', message: 'It has no key.' });
  expect(await row('b')).toMatchObject({
    status: 'Blocked',
    message: 'waits behind pipeline src.items, which failed: mend what its row says, then retry it',
  });
  const retry = { plan: PLAN, person: 'Ann', reason: null, decision: 'retry' } as const;
  expect(await decide(metadata, clock, { ...retry, names: ['src.orders'] })).toMatchObject({
    changed: [],
    problems: [{ name: 'src.orders', message: 'It has not failed.' }],
  });
  expect(await decide(metadata, clock, { ...retry, names: [] })).toEqual({
    changed: ['src.items'],
    problems: [],
  });
  expect(await row('src.items')).toMatchObject({ status: 'Running', message: null });
});
