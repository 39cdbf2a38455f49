import { expect, it } from 'vitest';
import { statusReader } from '../../src/usecases/status.ts';
import { decide } from '../../src/usecases/control.ts';
import { AT, claimed, events, PLAN, useMetadata } from '../adapters/postgres/metadata-harness.ts';

const { started } = useMetadata();

it('tells of every procedure what it is at, waits for, failed of and came to', async () => {
  const metadata = await started(['a'], ['b'], ['c', 'b'], ['d', 'c'], ['e', 'a'], ['f']);
  const reader = statusReader(metadata, PLAN);
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
  const rows = new Map(status?.progress.rows.map((row) => [row.name, row]));
  expect(rows.get('a')).toMatchObject({ status: 'Running', phase: 'prove', startedAt: AT });
  expect(rows.get('b')).toMatchObject({
    status: 'Failed',
    message: 'mismatch: 3 rows differ.',
    models: ['b_model'],
    rows: 12,
  });
  expect(rows.get('d')).toMatchObject({
    status: 'Blocked',
    waitsFor: ['b'],
    message: 'waits behind b, which failed: retry, skip, manual or accept it',
  });
  expect(rows.get('e')).toMatchObject({ status: 'Blocked', waitsFor: ['a'], message: null });
  expect(rows.get('f')).toMatchObject({ status: 'Pending', message: null });

  const clock = { now: () => AT, sleep: () => Promise.resolve() };
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
  expect(await statusReader(metadata, 'other').read()).toBeNull();
});
