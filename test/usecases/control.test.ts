import { describe, expect, it } from 'vitest';
import { decide, setAction } from '../../src/usecases/control.ts';
import type { DecisionRequest, DecisionResult } from '../../src/usecases/control.ts';
import type { Metadata } from '../../src/ports/metadata.ts';
import {
  AT,
  claimed,
  events,
  finish,
  PLAN,
  statuses,
  useMetadata,
} from '../adapters/postgres/metadata-harness.ts';

const { started } = useMetadata();
const clock = { now: () => AT, sleep: () => Promise.resolve() };

function ask(
  metadata: Metadata,
  decision: DecisionRequest['decision'],
  ...names: string[]
): Promise<DecisionResult> {
  return decide(metadata, clock, { plan: PLAN, decision, names, person: 'Ann', reason: 'why' });
}

/** `dw.a()` and `dw.b()` failed, `dw.c()` waits for `dw.a()`, `dw.d()` is ready. */
async function withFailures(): Promise<Metadata> {
  const metadata = await started(['dw.a()'], ['dw.b()'], ['dw.c()', 'dw.a()'], ['dw.d()']);
  const ids = await claimed(metadata, 'w', 2);
  await metadata.change(PLAN, ids, events(...ids.map((id) => finish(id, 'w', 'It broke.'))));
  await metadata.unlock(PLAN, ids);
  return metadata;
}

describe('a decision', () => {
  it('to retry without names queues every failed procedure again', async () => {
    const metadata = await withFailures();
    expect(await ask(metadata, 'retry')).toEqual({ changed: ['dw.a()', 'dw.b()'], problems: [] });
    expect(await statuses(metadata)).toMatchObject({ 'dw.a()': 'Pending', 'dw.b()': 'Pending' });
  });

  it('to skip sets free what waited', async () => {
    const metadata = await withFailures();
    expect((await ask(metadata, 'skip', 'dw.a')).changed).toEqual(['dw.a()']);
    expect(await statuses(metadata)).toMatchObject({ 'dw.a()': 'Skipped', 'dw.c()': 'Pending' });
  });

  it('to accept needs a model', async () => {
    const metadata = await withFailures();
    expect((await ask(metadata, 'accept', 'a')).problems[0]?.message).toContain('no model');
    await metadata.change(PLAN, ['dw.a()'], () => ({
      states: new Map(),
      artifacts: [{ id: 'dw.a()', kind: 'file', contents: new Map([['m/a.sql', 'select 1']]) }],
    }));
    expect((await ask(metadata, 'accept', 'a')).changed).toEqual(['dw.a()']);
    expect(await statuses(metadata)).toMatchObject({
      'dw.a()': 'Completed (accepted)',
      'dw.c()': 'Pending',
    });
  });

  it('is taken where it can be, and said why not elsewhere', async () => {
    const metadata = await withFailures();
    const { changed, problems } = await ask(metadata, 'retry', 'dw.b()', 'dw.d()', 'dw.x()');
    expect(changed).toEqual(['dw.b()']);
    expect(problems).toEqual([
      { name: 'dw.x()', message: expect.stringContaining('no procedure "dw.x()"') as string },
      { name: 'dw.d()', message: expect.stringContaining('It is Pending') as string },
    ]);
  });

  it('is remembered with who took it and why', async () => {
    const metadata = await withFailures();
    await ask(metadata, 'manual', 'dw.a()');
    expect(await metadata.decisions(PLAN)).toEqual([
      { id: 'dw.a()', decision: 'manual', person: 'Ann', reason: 'why', at: AT },
    ]);
    const messages = (await metadata.logs(PLAN, { id: 'dw.a()' })).map(({ message }) => message);
    expect(messages).toEqual(['Given to a model of their own by Ann: why.']);
  });

  it('opens a run again that had ended', async () => {
    const metadata = await withFailures();
    await metadata.setFinished(PLAN, AT);
    await ask(metadata, 'retry');
    expect((await metadata.run(PLAN))?.finishedAt).toBeNull();
  });
});

describe('an action', () => {
  it('is set and told in the log', async () => {
    const metadata = await started(['dw.a()']);
    const request = { plan: PLAN, action: 'PAUSE', person: 'Ann', reason: 'backup' } as const;
    await setAction(metadata, clock, request);
    expect(await metadata.actions()).toEqual(['PAUSE']);
    expect((await metadata.logs(PLAN)).map(({ message }) => message)).toEqual([
      'Paused by Ann: backup.',
    ]);
  });
});
