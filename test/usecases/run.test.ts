import { describe, expect, it } from 'vitest';
import type { Prove } from '../../src/usecases/work-phases.ts';
import { decide } from '../../src/usecases/control.ts';
import type { DecisionRequest } from '../../src/usecases/control.ts';
import { DbtError } from '../../src/ports/dbt.ts';
import { SandboxError, SqlError } from '../../src/ports/sandbox.ts';
import { NAME, proveAs, useRun } from './run-harness.ts';
import type { RunHarness } from './run-harness.ts';

const harness = useRun();
const clock = { now: () => '2026-07-01T13:00:00.000Z', sleep: () => Promise.resolve() };
const orders = { id: 'dw.load_orders()' };
const totals = { id: 'dw.load_totals(numeric)' };
const notes = { id: 'dw.load_notes()' };

async function statuses({ metadata }: RunHarness): Promise<Record<string, string>> {
  const members = await metadata.members(NAME);
  return Object.fromEntries([...members].map(([id, { state }]) => [id, state.status]));
}

async function reasonOf({ metadata }: RunHarness, id: string): Promise<string | null> {
  return (await metadata.members(NAME)).get(id)?.state.reason ?? null;
}

async function ask(
  { metadata }: RunHarness,
  decision: DecisionRequest['decision'],
  ...names: string[]
): Promise<void> {
  const request = { plan: NAME, decision, names, person: 'Ann', reason: 'she knows' };
  const { problems } = await decide(metadata, clock, request);
  expect(problems).toEqual([]);
}

describe('a run', () => {
  it('orders procedures by what they read, and ends with models, summary and statuses', async () => {
    const run = harness();
    await run.start([totals, orders]);
    expect(await statuses(run)).toEqual({
      'dw.load_orders()': 'Pending',
      'dw.load_totals(numeric)': 'Blocked',
    });
    expect(await run.work()).toBe('done');
    const { changed, summary, kept } = await run.publish();
    expect({ changed, state: summary.state, kept }).toEqual({
      changed: true,
      state: 'done',
      kept: [],
    });
    expect(run.branchFile('transform/models/dw/totals.sql')).toContain("ref('dw__orders')");
    expect(run.branchFile('MIGRATION.md')).toContain('**2** proven equal');
    expect(run.branchFile('plan.md')).toContain('Words of ours.');
    expect(run.branchFile('plan.md').match(/\| Completed/gu)).toHaveLength(2);
    expect((await run.metadata.run(NAME))?.finishedAt).not.toBeNull();
  });

  it('makes no second commit, and proves nothing again, when it is started again', async () => {
    const run = harness();
    await run.start([orders]);
    await run.work();
    const { commit } = await run.publish();
    await run.start([orders]);
    const proved: string[] = [];
    await run.work((request) => {
      proved.push(...request.ids);
      return proveAs('proven')(request);
    });
    expect(proved).toEqual([]);
    expect(await run.publish()).toMatchObject({ commit, changed: false });
  });

  it('takes new rows of the plan in, and keeps what is done', async () => {
    const run = harness();
    await run.start([orders]);
    await run.work();
    await run.start([orders, totals]);
    expect(await statuses(run)).toEqual({
      'dw.load_orders()': 'Completed',
      'dw.load_totals(numeric)': 'Pending',
    });
  });

  it('reads the table of a skipped procedure as a source', async () => {
    const run = harness();
    await run.start([orders, totals]);
    await ask(run, 'skip', 'dw.load_orders');
    expect(await run.work()).toBe('done');
    await run.publish();
    expect(run.branchFile('transform/models/dw/totals.sql')).toContain("source('dw', 'orders')");
    expect(run.branchFile('MIGRATION.md')).toContain('she knows');
  });

  it('names the procedures of a cycle and does not start', async () => {
    const run = harness();
    await run.sql(`CREATE PROCEDURE dw.back() LANGUAGE sql AS
      $$ TRUNCATE src.orders; INSERT INTO src.orders SELECT 1, 1, amount FROM dw.totals $$`);
    const rows = [orders, totals, { id: 'dw.back()' }];
    await expect(run.start(rows)).rejects.toMatchObject({
      code: 'start-refused',
      message: expect.stringMatching(/for ever: dw\.\w+\(.*→ .*→ .*→/u) as string,
    });
    expect(await run.metadata.run(NAME)).toBeNull();
  });

  it('does not start with a procedure that the source does not have', async () => {
    await expect(harness().start([{ id: 'dw.load_order()' }])).rejects.toThrow(
      'Write dw.load_orders()',
    );
  });
});

describe('what a person must look at', () => {
  it('is a refusal, with its line', async () => {
    const run = harness();
    await run.start([notes]);
    expect(await run.work()).toBe('needs a person');
    expect(await reasonOf(run, notes.id)).toMatch(/^line \d+: EXECUTE/u);
    await run.publish();
    expect(run.branchFile('plan.md')).toMatch(/\| Failed: refused: line \d+/u);
    expect(run.branchFile('MIGRATION.md')).toContain('refused');
  });

  it('is a parameter without a value', async () => {
    const run = harness();
    await run.sql(`CREATE PROCEDURE dw.load_day(p_day date) LANGUAGE sql AS
      $$ INSERT INTO dw.notes SELECT p_day::text $$`);
    await run.start([{ id: 'dw.load_day(date)' }]);
    expect(await run.work()).toBe('needs a person');
    expect(await reasonOf(run, 'dw.load_day(date)')).toContain('No value for p_day');
    await run.start([{ id: 'dw.load_day(date)', arguments: "date '2024-01-31'" }]);
    await ask(run, 'retry');
    expect(await run.work()).toBe('done');
  });

  it('is a mismatch, which can be retried, accepted or left', async () => {
    const run = harness();
    await run.start([orders, totals]);
    expect(await run.work(proveAs('mismatch', '2 rows differ.'))).toBe('needs a person');
    expect(await reasonOf(run, orders.id)).toBe('line 2: 2 rows differ.');
    await run.publish();
    expect(() => run.branchFile('transform/models/dw/orders.sql')).toThrow('orders.sql');
    await ask(run, 'accept', 'load_orders');
    expect(await run.work()).toBe('done');
    await run.publish();
    expect(run.branchFile('transform/models/dw/dw__orders.sql')).toContain('amount');
    expect(run.branchFile('MIGRATION.md')).toContain('Ann');
  });

  it('is tried again from a source that was mended', async () => {
    const run = harness();
    await run.start([notes]);
    await run.work();
    await run.sql(`CREATE OR REPLACE PROCEDURE dw.load_notes() LANGUAGE sql AS
      $$ TRUNCATE dw.notes; INSERT INTO dw.notes SELECT 'new words' $$`);
    await ask(run, 'retry');
    expect(await run.work()).toBe('done');
    await run.publish();
    expect(run.branchFile('transform/models/dw/notes.sql')).toContain('new words');
  });

  it('is a procedure that is gone', async () => {
    const run = harness();
    await run.start([orders]);
    await run.sql('DROP PROCEDURE dw.load_orders()');
    expect(await run.work()).toBe('done');
    await run.start([notes]);
    await run.work();
    await run.sql('DROP PROCEDURE dw.load_notes()');
    await ask(run, 'retry');
    expect(await run.work()).toBe('needs a person');
    expect(await reasonOf(run, notes.id)).toContain('no such procedure any more');
  });
});

describe('a person’s model', () => {
  const model = `{{ config(materialized='table', schema='dw', alias='orders') }}
select id, amount from {{ source('src', 'orders') }}
`;
  function commitModel(run: RunHarness): void {
    run.scratch.git('switch', '--quiet', `sprocket/${NAME}`);
    run.scratch.write('transform/models/dw/orders_by_hand.sql', model);
    run.scratch.commitAll('Orders by hand');
    run.scratch.git('switch', '--quiet', 'main');
  }

  it('is taken from the branch, proven, kept there, and what others read', async () => {
    const run = harness();
    await run.start([orders, totals]);
    await run.work(proveAs('mismatch'));
    await run.publish();
    commitModel(run);
    await ask(run, 'manual', 'dw.load_orders');
    expect(await run.work()).toBe('done');
    expect(await statuses(run)).toEqual({
      'dw.load_orders()': 'Completed (manual)',
      'dw.load_totals(numeric)': 'Completed',
    });
    const { kept } = await run.publish();
    expect(kept).toEqual([]);
    expect(run.branchFile('transform/models/dw/orders_by_hand.sql')).toBe(model);
    expect(run.branchFile('transform/models/dw/totals.sql')).toContain("ref('orders_by_hand')");
    expect(run.branchFile('transform/dbt_project.yml')).toContain('name:');
    expect(run.branchFile('transform/macros/sprocket/generate_schema_name.sql')).not.toBe('');
    const files = run.scratch.git('ls-tree', '-r', '--name-only', `sprocket/${NAME}`);
    expect(files).not.toContain('models/dw/orders.sql');
    expect((await run.publish()).changed).toBe(false);
  });

  it('is asked for where there is none', async () => {
    const run = harness();
    await run.start([orders]);
    await ask(run, 'manual', 'dw.load_orders');
    expect(await run.work()).toBe('needs a person');
    expect(await reasonOf(run, orders.id)).toContain(
      'no model in transform/models builds dw.orders',
    );
    await run.publish();
    commitModel(run);
    await ask(run, 'retry');
    expect(await run.work()).toBe('done');
    expect(await statuses(run)).toEqual({ 'dw.load_orders()': 'Completed (manual)' });
  });
});

describe('a proof that could not be given at all', () => {
  it('fails only the procedure that was the reason', async () => {
    const run = harness();
    await run.start([orders, { ...notes, include: false }]);
    await run.sql(`CREATE PROCEDURE dw.other() LANGUAGE sql AS
      $$ TRUNCATE dw.notes; INSERT INTO dw.notes SELECT 'x' $$`);
    await run.start([orders, { id: 'dw.other()' }]);
    const prove: Prove = (request) =>
      request.ids.includes('dw.other()')
        ? Promise.reject(new TypeError('x is not a function'))
        : proveAs('proven')(request);
    expect(await run.work(prove)).toBe('needs a person');
    expect(await statuses(run)).toEqual({
      'dw.load_orders()': 'Completed',
      'dw.other()': 'Failed',
    });
    expect(await reasonOf(run, 'dw.other()')).toContain("Sprocket's own: x is not a function");
  });

  it.each([
    [new SandboxError('start-failed', 'No port is free.', 'Free one.'), 'start-failed'],
    [new SqlError({ message: 'No space left on device', code: '53100' }), 'lost'],
    [new SqlError({ message: 'terminating connection', code: '57P01' }), 'lost'],
    [new DbtError('connection', 'server closed the connection', 'Look.'), 'connection'],
  ])(
    'fails no procedure where the machine was the reason, and gives them back: %s',
    async (reason, code) => {
      const run = harness();
      await run.start([orders]);
      await expect(run.work(() => Promise.reject(reason))).rejects.toMatchObject({
        code,
        message: expect.stringContaining(reason.message),
        advice: expect.any(String),
      });
      expect(await statuses(run)).toEqual({ 'dw.load_orders()': 'Pending' });
      expect(await run.work()).toBe('done');
    },
  );
});

describe('people’s own words in plan.md on the branch', () => {
  it('stay, while the statuses change', async () => {
    const run = harness();
    await run.start([orders]);
    await run.publish();
    run.scratch.git('switch', '--quiet', `sprocket/${NAME}`);
    run.scratch.write('plan.md', run.branchFile('plan.md').replace('Words of ours.', 'New words.'));
    run.scratch.commitAll('Words');
    run.scratch.git('switch', '--quiet', 'main');
    await run.work();
    await run.publish();
    expect(run.branchFile('plan.md')).toContain('New words.');
    expect(run.branchFile('plan.md')).toContain('| Completed');
  });
});
