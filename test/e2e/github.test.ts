/**
 * The whole way on GitHub's double: App, dispatches, the built bundle, PostgreSQL and dbt. Told once as
 * it happens, and once more with every webhook sent twice, late and in any order.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded } from '../../bench/warehouse/random.ts';
import { buildAction } from '../../scripts/build-action.ts';
import { openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import * as people from '../github/people.ts';
import { BOT } from '../github/state.ts';
import { BUNDLE, endState, Story } from './github-story.ts';
import type { EndState } from './github-story.ts';

/** What a person mends in the source, after which it can be retried. */
const MENDED = `CREATE OR REPLACE PROCEDURE dw.load_small() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.small;
    INSERT INTO dw.small SELECT id FROM src.orders WHERE amount < 9;
  END $$`;
const REASON = 'ties may come in any order, agreed with finance';
/** What a person writes in the place of what would be generated. */
const OWN_MODEL = `{{ config(materialized='table', schema='dw', alias='best') }}
select ranks.id from {{ ref('ranks') }} as ranks where ranks.rank >= 1
`;
let server: ScratchServer;

beforeAll(async () => {
  await buildAction(BUNDLE);
  server = await openScratchServer();
});
afterAll(() => server.close());

async function install(story: Story): Promise<void> {
  const { stage, repository } = story;
  people.install(stage.double, [repository]);
  await story.settled();
  const [setUp] = story.pulls(repository);
  if (setUp === undefined) throw new Error('no pull request');
  expect(setUp).toMatchObject({ title: 'Set up Sprocket', author: BOT });
  people.mergePullRequest(stage.double, repository, setUp);
  await story.settled();
  expect(repository.git.blobOf('main', '.github/workflows/sprocket.yml')).not.toBeNull();
  expect(story.check).toMatchObject({ conclusion: 'action_required' });
  expect(repository.dispatches).toEqual([]);
}

async function plan(story: Story): Promise<void> {
  const { stage, repository } = story;
  expect(await story.runner.byHand(repository)).toMatchObject({ status: 0 });
  await story.settled();
  const [, offered] = story.pulls(repository);
  if (offered === undefined) throw new Error('no pull request');
  expect(offered).toMatchObject({ title: 'Plan the migration of sales', author: BOT });
  const branch = offered.pull?.head ?? '';
  const drafted = repository.git.run(['show', `${branch}:plan.md`]);
  const whole = drafted
    .replaceAll(/^\| no *(?=\|.*dw\.load_)/gmu, '| yes ')
    .replace(
      /^production:\n(?: {2}.*\n)+/mu,
      'production: { repository: acme/analytics, project: transform, reviewers: [octocat, nobody], labels: [migration] }\n',
    );
  people.push(stage.double, repository, { 'plan.md': whole }, branch);
  await story.settled();
  expect(story.check).toMatchObject({
    sha: repository.git.resolve(branch),
    conclusion: 'success',
    title: 'Ready: 6 of 6 procedures included',
  });
  expect(story.check?.summary).toMatch(/\| Likely \| (\d) \| \1 \|/u);
  expect(story.check?.text).toContain('```mermaid');
  story.scenes.take('launch', 'check');
  people.mergePullRequest(stage.double, repository, offered);
}

async function pauseAndResume(story: Story): Promise<void> {
  const { stage, repository, runner } = story;
  await story.until('the plan is read', () =>
    runner.results.some(({ command }) => command === 'plan'),
  );
  const paused = story.say('/pause the source is being restored');
  await story.until('it is paused', () => story.check?.title.startsWith('Paused: ') ?? false);
  expect(story.check).toMatchObject({ status: 'in_progress', conclusion: null });
  expect(story.check?.summary).toContain('Paused by octocat: the source is being restored');
  expect(story.check?.actions.map(({ label }) => label).slice(0, 2)).toEqual(['Resume', 'Stop']);
  await story.until('the comment is answered', () => story.reactionsTo(paused).length > 1);
  expect(story.reactionsTo(paused)).toEqual(['eyes', 'rocket']);
  await story.until('the issue says so', () =>
    story.monitor.body.includes('Paused by octocat: the source is being restored'),
  );
  story.scenes.take('pause', paused, 'check');
  people.pressButton(stage.double, repository, story.check?.id ?? 0, 'Resume');
  await story.settled();
  expect(story.check?.title, story.check?.summary).toBe(
    'Needs a person: 2 of 6 done, 3 failed, 1 blocked',
  );
  expect(story.check).toMatchObject({ status: 'completed', conclusion: 'action_required' });
  expect(story.check?.annotations).toMatchObject(
    ['dw.load_ranks()', 'dw.load_other(text)', 'dw.load_small()'].map((name) => ({
      path: 'plan.md',
      title: `${name} failed`,
    })),
  );
  expect(story.planOnBranch()).toMatch(/dw\.load_big\(\) .*Completed/u);
  expect(story.planOnBranch()).toMatch(/dw\.load_other\(text\) .*Failed/u);
  expect(story.planOnBranch()).toMatch(/dw\.load_best\(\) .*Blocked: .*dw\.load_ranks\(\)/u);
  expect(story.pulls(story.production)).toEqual([]);
}

async function decide(story: Story): Promise<void> {
  const { stage, repository } = story;
  story.scenes.take('progress', 'check');
  story.scenes.take('retry', 'monitor');
  const wrong = story.say('/skip dw.load_othr');
  await story.settled();
  expect(story.reactionsTo(wrong)).toEqual(['eyes', 'confused']);
  const right = story.say('/skip dw.load_other');
  await story.settled();
  expect(story.reactionsTo(right)).toEqual(['eyes', 'rocket']);
  story.scenes.take('skip', wrong, right);
  const own = { 'transform/models/by_hand/best.sql': OWN_MODEL };
  people.push(stage.double, repository, own, 'sprocket/sales');
  const manual = story.say('/manual dw.load_best');
  await story.settled();
  expect(story.reactionsTo(manual)).toEqual(['eyes', 'rocket']);
  story.scenes.take('manual', manual);
  const accepted = story.say(`/accept dw.load_ranks ${REASON}`);
  await story.until('it is accepted', () => story.reactionsTo(accepted).length > 1);
  expect(story.reactionsTo(accepted)).toEqual(['eyes', 'rocket']);
  story.scenes.take('accept', accepted);
  await story.sql.query(MENDED);
  people.tick(stage.double, repository, story.monitor, 'retry `dw.load_small()`');
  await story.until('it is taken up', () => story.running());
  await story.until('machines run', () => story.runner.loseMachines(repository) > 0);
  await story.settled();
  story.scenes.take('done', 'check');
}

async function tell(story: Story): Promise<EndState> {
  await install(story);
  await plan(story);
  await pauseAndResume(story);
  const began = await story.startOf('dw.load_big()');
  await decide(story);
  expect(await story.startOf('dw.load_big()')).toBe(began);
  const failed = story.runner.results.filter(({ status }) => status !== 0 && status !== null);
  expect(failed.map(({ command, log }) => `${command}: ${log}`)).toEqual([]);
  expect(story.runner.results.at(-1)?.outputs, story.planOnBranch()).toMatchObject({
    state: 'done',
    total: '6',
    completed: '5',
    skipped: '1',
    'pull-request': `https://github.com/acme/analytics/pull/1`,
  });
  const logs = story.runner.results.map(({ said }) => said.replaceAll(/^::add-mask::.*$/gmu, ''));
  expect(logs.join('\n')).not.toContain(story.url);
  return endState(story);
}

/** Commands that the story does without, for the pictures of the documentation. */
async function takeMore(story: Story): Promise<void> {
  const steps: readonly (readonly [name: string, text: string])[] = [
    ['help', '/help'],
    ['status', '/status'],
    ['log', '/log dw.load_small'],
    ['resume', '/resume'],
    ['reset', '/reset'],
    ['stop', '/stop the warehouse moves tonight'],
  ];
  for (const [name, text] of steps) {
    const said = story.say(text);
    await story.settled();
    story.scenes.take(name, said);
  }
}

function runsAskedFor({ repository }: Story): number {
  return repository.dispatches.filter(({ event }) => event === 'sprocket-run').length;
}

let once: EndState | undefined;

test('from the installation to one pull request', { timeout: 400_000 }, async () => {
  const story = await Story.begin(server, 'github_story');
  const { production } = story;
  try {
    once = await tell(story);
    await story.scenes.save(takeMore);
    expect(once.check).toEqual({
      title: 'Done: 6 of 6 done, 1 accepted, 1 manual, 1 skipped',
      conclusion: 'success',
      open: 0,
    });
    expect(once.pulls).toMatchObject([
      {
        title: 'Replace the stored procedures of sales with 5 dbt models',
        labels: ['migration'],
        reviewers: ['octocat'],
        state: 'open',
        head: 'sprocket/sales',
      },
    ]);
    expect(once.remarks).toHaveLength(1);
    expect(once.remarks[0]).toContain('`nobody`');
    expect(story.monitor.body).toContain('/analytics/pull/1');
    expect(story.check?.summary).toContain('/analytics/pull/1');
    expect(once.files).toEqual(
      expect.arrayContaining([
        'README.md',
        'transform/MIGRATION.md',
        'transform/dbt_project.yml',
        'transform/models/by_hand/best.sql',
        'transform/models/dw/ranks.sql',
        'transform/models/dw/small.sql',
      ]),
    );
    expect(once.commits).toBe('1');
    expect(once.plan).toMatch(/dw\.load_other\(text\) .*Skipped/u);
    expect(once.plan).toMatch(/dw\.load_small\(\) .*Completed \|$/mu);
    expect(once.plan).toMatch(/dw\.load_ranks\(\) .*Completed \(accepted\)/u);
    expect(once.plan).toMatch(/dw\.load_best\(\) .*Completed \(manual\)/u);
    for (const text of [story.check?.summary ?? '', story.monitor.body]) {
      expect(text).toContain('| `dw.load_ranks()` | Completed (accepted) |');
      expect(text).toContain('| `dw.load_best()` | Completed (manual) |');
    }
    const summary = once.pulls[0]?.body ?? '';
    expect(summary).toMatch(
      new RegExp(`### Accepted: \`dw\\.load_ranks\\(\\)\`\n\n.*by \`octocat\`.*: ${REASON}`, 'u'),
    );
    expect(summary).toMatch(/dw\.ranks, round "data as given": \d+ rows differ\n {2}row 1\n/u);
    expect(summary).toMatch(
      /### Proven \(manual\): `dw\.load_best\(\)`\n\n.*Taken over by `octocat`/u,
    );
    const own = production.git.run(['show', 'sprocket/sales:transform/models/by_hand/best.sql']);
    expect(`${own}\n`).toBe(OWN_MODEL);
  } finally {
    await story.end();
  }
});

test('the same with every webhook twice, late and in any order', { timeout: 500_000 }, async () => {
  const story = await Story.begin(server, 'github_story_late');
  const { double } = story.stage;
  const random = seeded(20_261_128);
  double.delays = () => [1 + random() * 400, 1 + random() * 3_000];
  try {
    const twice = await tell(story);
    expect(twice).toEqual(once);
    const before = runsAskedFor(story);
    const url = double.webhookUrl ?? '';
    const all = [...double.world.deliveries]
      .map((delivery) => ({ delivery, at: random() }))
      .toSorted((a, b) => a.at - b.at);
    for (const { delivery } of all) await double.deliver(delivery, url);
    await story.settled();
    expect(endState(story)).toEqual(once);
    expect(runsAskedFor(story)).toBe(before);
  } finally {
    await story.end();
  }
});
