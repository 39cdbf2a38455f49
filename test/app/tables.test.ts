/** What people say reaches the metadata tables at once where the App is given their database. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openMetadata } from '../../src/adapters/postgres/metadata.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { step } from '../../src/core/lifecycle/step.ts';
import type { Metadata } from '../../src/ports/metadata.ts';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { planText } from '../core/checkrun/plans.ts';
import * as people from '../github/people.ts';
import { BOT } from '../github/state.ts';
import type { CommentState, RepositoryState } from '../github/state.ts';
import { startStage } from './harness.ts';
import type { Stage } from './harness.ts';

const PLAN = planText([{ name: 'dw.a()' }, { name: 'dw.b()' }]);
const IDS = ['dw.a()', 'dw.b()'];

let server: ScratchServer;
let stage: Stage;
let metadata: Metadata;
let repository: RepositoryState;
let number = 0;

beforeAll(async () => {
  server = await openScratchServer();
  const url = await server.create('github_tables');
  stage = await startStage({ metadataUrl: url });
  metadata = await openMetadata({
    open: () => connectTo(url),
    schema: 'wirekite',
    clock: systemClock,
  });
  await metadata.migrate();
});
afterAll(async () => {
  await metadata.close();
  await stage.close();
  await server.close();
});

/** A launched plan, as its `plan` job leaves it. */
async function launched(planInTables = PLAN): Promise<void> {
  number += 1;
  repository = stage.double.addRepository('acme', `tables-${number}`, { 'README.md': 'hello' });
  people.push(stage.double, repository, { 'plan.md': PLAN });
  await settled();
  await metadata.setAction('STOP');
  await metadata.reset('sales', () => true);
  await metadata.setAction('RUN');
  await metadata.start(
    {
      plan: 'sales',
      planText: planInTables,
      baseCommit: repository.git.resolve('main'),
      at: systemClock.now(),
      pipelines: [],
      procedures: IDS.map((id) => ({ id, dependsOn: [], pipelines: [] })),
    },
    (members) => ({ states: step(members, []).states }),
  );
}

async function settled(): Promise<void> {
  await stage.settled();
  stage.double.rates.forget();
  expect(stage.double.violations.splice(0)).toEqual([]);
}

async function say(text: string): Promise<CommentState> {
  const said = people.comment(stage.double, repository, 1, text);
  await settled();
  return said;
}

function controls() {
  return repository.dispatches.filter(({ event }) => event === 'sprocket-control');
}

function check() {
  return [...repository.checks.values()].at(-1);
}

function reactionsTo({ reactions }: CommentState): string[] {
  return reactions.map(({ content }) => content);
}

function replies(): string[] {
  return [...repository.comments.values()]
    .filter(({ author }) => author === BOT)
    .map(({ body }) => body);
}

async function fail(id: string): Promise<void> {
  const at = systemClock.now();
  for (const event of [
    { type: 'claim', claim: 'w', at } as const,
    { type: 'finish', claim: 'w', at, proof: null, failure: 'It broke.' } as const,
  ]) {
    await metadata.change('sales', [id], (members) => ({
      states: step(members, [{ id, ...event }]).states,
    }));
  }
}

describe('with a database that answers', () => {
  beforeEach(() => launched());

  test('/pause says who, when and why everywhere, /resume and Stop follow, nothing is dispatched', async () => {
    const paused = await say('/pause the *source* is restored');
    expect(await metadata.actions()).toEqual(['PAUSE']);
    expect(reactionsTo(paused)).toEqual(['eyes', 'rocket']);
    expect(check()).toMatchObject({ status: 'in_progress' });
    expect(check()?.title).toMatch(/^Paused: 0 of 2 done/u);
    const shown =
      /Paused by octocat: the &#42;source&#42; is restored\. \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)/u;
    expect(check()?.summary).toMatch(shown);
    expect(people.issueOf(repository, 1).body).toMatch(shown);
    const resumed = await say('/resume');
    expect(await metadata.actions()).toEqual(['RUN']);
    expect(reactionsTo(resumed)).toEqual(['eyes', 'rocket']);
    people.pressButton(stage.double, repository, check()?.id ?? 0, 'Stop');
    await settled();
    expect(await metadata.actions()).toEqual(['STOP']);
    expect(check()?.title).toMatch(/^Stopped: /u);
    expect(controls()).toEqual([]);
  });

  test('a word that is told late does not undo what was said after it', async () => {
    const url = stage.double.webhookUrl;
    stage.double.webhookUrl = null;
    const early = people.comment(stage.double, repository, 1, '/pause');
    const heldBack = stage.double.world.deliveries.at(-1);
    stage.double.webhookUrl = url;
    stage.double.world.ahead += 5_000;
    await say('/stop');
    if (heldBack === undefined || url === null) throw new Error('nothing to deliver');
    await stage.double.deliver(heldBack, url);
    await settled();
    expect(await metadata.actions()).toEqual(['STOP']);
    expect(reactionsTo(early)).toEqual(['eyes', 'confused']);
    expect(replies().at(-1)).toContain('Something that was asked for later came first');
  });

  test('a button that is told twice works once', async () => {
    await say('/pause');
    people.pressButton(stage.double, repository, check()?.id ?? 0, 'Resume');
    const pressed = stage.double.world.deliveries.at(-1);
    await settled();
    await say('/pause again');
    if (pressed === undefined) throw new Error('nothing delivered');
    await stage.double.deliver(pressed, stage.double.webhookUrl ?? '');
    await settled();
    expect(await metadata.actions()).toEqual(['PAUSE']);
  });

  test('boxes and Retry failed queue again, /skip leaves out, /retry of nothing is refused', async () => {
    await fail('dw.a()');
    await fail('dw.b()');
    await say('/pause');
    const issue = repository.issues.get(1);
    if (issue === undefined) throw new Error('no issue');
    people.tick(stage.double, repository, issue, 'retry `dw.a()`');
    await settled();
    expect([...(await metadata.counts('sales'))]).toEqual([
      ['Failed', 1],
      ['Pending', 1],
    ]);
    people.pressButton(stage.double, repository, check()?.id ?? 0, 'Retry failed');
    await settled();
    expect([...(await metadata.counts('sales'))]).toEqual([['Pending', 2]]);
    const skipped = await say('/skip dw.b');
    expect(reactionsTo(skipped)).toEqual(['eyes', 'rocket']);
    const refused = await say('/retry');
    expect(reactionsTo(refused)).toEqual(['eyes', 'confused']);
    expect(replies().at(-1)).toContain('Nothing has failed.');
    expect(check()?.title).toBe('Paused: 1 of 2 done, 1 pending, 1 skipped');
    expect(controls()).toEqual([]);
  });

  test('/accept without a model, and an unknown name, are refused with what to do', async () => {
    await fail('dw.a()');
    await say('/accept dw.a() it is right');
    expect(replies().at(-1)).toContain('There is no model to accept');
    await say('/skip dw.aa');
    expect(replies().at(-1)).toContain('Did you mean dw.a()?');
  });

  test('/manual needs the branch, which only the workflow reads', async () => {
    await say('/manual dw.a');
    expect(controls()).toHaveLength(1);
  });

  test('/log shows the last lines of a long log, and where the rest is', async () => {
    const line = (at: number) => ({
      id: 'dw.a()',
      at: systemClock.now(),
      level: 'info' as const,
      message: `${at} \`\`\` @octocat ${'𝕩'.repeat(300)}`,
    });
    await metadata.log(
      'sales',
      Array.from({ length: 500 }, (_, at) => line(at)),
    );
    await say('/log dw.a');
    const said = replies().at(-1) ?? '';
    expect(said.length).toBeLessThan(65_536);
    expect(said).toContain('info 499 ');
    expect(said).not.toContain('info 0 ');
    expect(said).toMatch(/\d+ earlier lines left out\./u);
    expect(said).toMatch(/^````text$/mu);
  });

  test('/reset may need the source, which only the workflow reaches', async () => {
    await say('/reset');
    expect(controls()).toHaveLength(1);
  });
});

test('a run of the same name in another database is left to its workflow', async () => {
  await launched(`${PLAN}\nanother\n`);
  await say('/pause');
  expect(await metadata.actions()).toEqual(['RUN']);
  expect(controls()).toHaveLength(1);
});

test('a database that does not answer leaves it to the workflow', async () => {
  const other = await startStage({ metadataUrl: 'postgresql://nobody@127.0.0.1:9/nowhere' });
  try {
    const far = other.double.addRepository('acme', 'far', { 'README.md': 'hello' });
    people.push(other.double, far, { 'plan.md': PLAN });
    await other.settled();
    const said = people.comment(other.double, far, 1, '/stop');
    await other.settled();
    expect(far.dispatches.map(({ event }) => event)).toEqual(['sprocket-run', 'sprocket-control']);
    expect(reactionsTo(said)).toEqual(['eyes']);
  } finally {
    await other.close();
  }
});
