import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { planText } from '../core/checkrun/plans.ts';
import * as people from '../github/people.ts';
import type { RepositoryState } from '../github/state.ts';
import { BOT } from '../github/state.ts';
import { startStage } from './harness.ts';
import { checks, launchedRepository, newRepository, reactions, replies } from './repositories.ts';
import type { Stage } from './harness.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());
afterEach(async () => {
  await stage.settled();
  stage.double.rates.forget();
  expect(stage.double.violations.splice(0)).toEqual([]);
});

const PLAN = planText([{ name: 'dw.load_a()' }, { name: 'dw.load_b()', dependsOn: 'dw.load_a()' }]);
const EMPTY = planText([{ name: 'dw.load_a()', include: 'no' }]);

function repositoryWith(files: Readonly<Record<string, string>>): RepositoryState {
  return newRepository(stage, files);
}

function launched(): Promise<RepositoryState> {
  return launchedRepository(stage, PLAN);
}

describe('a push', () => {
  test('that changes the plan launches it: check run, monitor issue, dispatch with ids', async () => {
    const repository = await launched();
    const [check] = checks(repository);
    expect(check).toMatchObject({
      name: 'Sprocket',
      sha: repository.git.resolve('main'),
      status: 'queued',
      title: 'Starting: 2 of 2 procedures included',
    });
    expect(repository.dispatches).toHaveLength(1);
    expect(repository.dispatches[0]).toMatchObject({
      event: 'sprocket-run',
      payload: { sha: check?.sha, check_run: check?.id, issue: 1, leg: 1, resumed: 0 },
    });
    expect(people.issueOf(repository, 1)).toMatchObject({ title: 'Sprocket: sales', author: BOT });
  });

  test('that comes twice, at once and later, launches once', async () => {
    const repository = await launched();
    const delivery = stage.double.world.deliveries.findLast(({ event }) => event === 'push');
    const url = stage.double.webhookUrl;
    if (delivery === undefined || url === null) throw new Error('nothing delivered');
    await Promise.all([1, 2, 3].map(() => stage.double.deliver(delivery, url)));
    expect(checks(repository)).toHaveLength(1);
    expect(repository.dispatches).toHaveLength(1);
    expect(repository.issues.size).toBe(1);
  });

  test('that is told after a later one does not bring its plan back', async () => {
    const repository = await launched();
    const url = stage.double.webhookUrl ?? '';
    stage.double.webhookUrl = null;
    people.push(stage.double, repository, { 'plan.md': `${PLAN}\nsecond\n` });
    const second = stage.double.world.deliveries.at(-1);
    stage.double.webhookUrl = url;
    people.push(stage.double, repository, { 'plan.md': `${PLAN}\nthird\n` });
    await stage.settled();
    const third = repository.dispatches.at(-1)?.payload;
    if (second === undefined) throw new Error('nothing kept');
    await stage.double.deliver(second, url);
    for (const delivery of stage.double.world.deliveries) {
      if (delivery.event === 'push') await stage.double.deliver(delivery, url);
    }
    await stage.settled();
    expect(repository.dispatches).toHaveLength(2);
    expect(repository.dispatches.at(-1)?.payload).toEqual(third);
    expect(checks(repository).map(({ status, title }) => [status, title])).toEqual([
      ['completed', 'Followed by another launch'],
      ['queued', 'Starting: 2 of 2 procedures included'],
    ]);
  });

  test('that brings the Status of a run to the default branch starts nothing, then or later', async () => {
    const repository = await launched();
    const done = PLAN.replaceAll('| Pending |', '| Completed (manual) |');
    repository.git.run(['branch', 'sprocket/sales', 'main']);
    repository.git.commit('sprocket/sales', { 'plan.md': done }, 'Done');
    const pull = people.openPullRequest(stage.double, repository, 'sprocket/sales');
    await stage.settled();
    people.mergePullRequest(stage.double, repository, pull);
    await stage.settled();
    await stage.app.reconcile();
    expect(repository.git.run(['show', 'main:plan.md'])).toContain('Completed (manual)');
    expect(checks(repository)).toHaveLength(1);
    expect(repository.dispatches).toHaveLength(1);
    people.push(stage.double, repository, { 'plan.md': done.replace('| yes |', '| no |') });
    await stage.settled();
    expect(repository.dispatches).toHaveLength(2);
  });

  test('elsewhere, or of other files, starts nothing', async () => {
    const repository = repositoryWith({ 'plan.md': PLAN });
    people.push(stage.double, repository, { 'README.md': 'new' });
    people.push(stage.double, repository, { 'plan.md': EMPTY }, 'work');
    await stage.settled();
    expect(checks(repository)).toEqual([]);
    expect(repository.dispatches).toEqual([]);
  });

  test('of a plan that includes nothing is refused with its line', async () => {
    const repository = repositoryWith({ 'README.md': 'hello' });
    people.push(stage.double, repository, { 'plan.md': EMPTY });
    await stage.settled();
    expect(checks(repository)).toMatchObject([
      { status: 'completed', conclusion: 'action_required', title: '1 problem in the plan' },
    ]);
    expect(checks(repository)[0]?.annotations).toHaveLength(1);
    expect(repository.dispatches).toEqual([]);
  });

  test('of a plan of more than 1 MB, which the contents API leaves out, launches', async () => {
    const repository = repositoryWith({ 'README.md': 'hello' });
    const names = Array.from({ length: 20_000 }, (_, at) => ({
      name: `dw.load_table_number_${at}_of_many()`,
    }));
    people.push(stage.double, repository, { 'plan.md': planText(names) });
    await stage.settled();
    expect(checks(repository)[0]?.title).toBe('Starting: 20000 of 20,000 procedures included');
  });

  test('that no workflow takes up is reported as not started after five minutes', async () => {
    const repository = await launched();
    await stage.app.reconcile();
    expect(checks(repository)[0]?.status).toBe('queued');
    const check = checks(repository)[0];
    if (check === undefined) throw new Error('no check run');
    repository.checks.set(check.id, {
      ...check,
      startedAt: new Date(Date.now() - 301_000).toISOString(),
    });
    await stage.app.reconcile();
    expect(checks(repository)[0]).toMatchObject({
      conclusion: 'action_required',
      title: 'Not started: no workflow took up the launch',
    });
    people.pressButton(stage.double, repository, check.id, 'Launch');
    await stage.settled();
    expect(repository.dispatches).toHaveLength(2);
    expect(checks(repository)[1]).toMatchObject({ status: 'queued' });
  });
});

describe('a pull request', () => {
  async function opened(text: string, options: { readonly fork?: boolean } = {}) {
    const repository = repositoryWith({ 'README.md': 'hello' });
    repository.git.run(['branch', 'plan', 'main']);
    repository.git.commit('plan', { 'plan.md': text }, 'Plan');
    const pull = people.openPullRequest(stage.double, repository, 'plan', options);
    await stage.settled();
    return { repository, pull };
  }

  test('that changes the plan is checked, and Launch merges it and so launches', async () => {
    const { repository, pull } = await opened(PLAN);
    const [check] = checks(repository);
    expect(check).toMatchObject({
      conclusion: 'success',
      sha: repository.git.resolve('plan'),
      title: 'Ready: 2 of 2 procedures included',
    });
    people.pressButton(stage.double, repository, check?.id ?? 0, 'Launch');
    await stage.settled();
    expect(pull.pull?.mergedAt).not.toBeNull();
    expect(repository.dispatches).toHaveLength(1);
  });

  test('is checked again by Re-run, once however often that is told', async () => {
    const { repository } = await opened(PLAN);
    const [check] = checks(repository);
    people.rerun(stage.double, repository, check?.id ?? 0);
    await stage.settled();
    const told = stage.double.world.deliveries.at(-1);
    if (told === undefined) throw new Error('nothing told');
    await stage.double.deliver(told, stage.double.webhookUrl ?? '');
    await stage.settled();
    expect(checks(repository).map(({ title }) => title)).toEqual([
      'Ready: 2 of 2 procedures included',
      'Ready: 2 of 2 procedures included',
    ]);
  });

  test('that is merged by Launch says nothing more where that is told again', async () => {
    const { repository, pull } = await opened(PLAN);
    people.pressButton(stage.double, repository, checks(repository)[0]?.id ?? 0, 'Launch');
    const told = stage.double.world.deliveries.at(-1);
    await stage.settled();
    if (told === undefined) throw new Error('nothing told');
    await stage.double.deliver(told, stage.double.webhookUrl ?? '');
    await stage.settled();
    expect(repository.dispatches).toHaveLength(1);
    expect(replies(repository, pull.number)).toEqual([]);
  });

  test('with problems says each, and /launch is refused with them', async () => {
    const { repository, pull } = await opened(EMPTY);
    expect(checks(repository)).toMatchObject([{ conclusion: 'action_required' }]);
    const said = people.comment(stage.double, repository, pull.number, '/launch');
    await stage.settled();
    expect(reactions(repository, said.id)).toEqual(['eyes', 'confused']);
    expect(replies(repository, pull.number)[0]).toContain(
      'No procedure and no pipeline is included',
    );
    expect(pull.pull?.mergedAt).toBeNull();
  });

  test('of a fork is checked, but has no say', async () => {
    const { repository, pull } = await opened(PLAN, { fork: true });
    expect(checks(repository)).toHaveLength(1);
    const said = people.comment(stage.double, repository, pull.number, '/launch');
    await stage.settled();
    expect(reactions(repository, said.id)).toEqual([]);
    expect(pull.pull?.mergedAt).toBeNull();
  });
});

describe('a comment', () => {
  test.each([
    ['/help', 'rocket', 'Leave procedures out'],
    ['/status', 'rocket', 'Starting: 2 of 2 procedures included'],
    ['/launch', 'confused', 'launched already'],
    ['/lunch', 'confused', 'Did you mean `/launch`?'],
    ['/skip', 'confused', 'It needs a procedure'],
  ])('%s gets %s and one reply', async (body, reaction, answer) => {
    const repository = await launched();
    const said = people.comment(stage.double, repository, 1, body);
    await stage.settled();
    expect(reactions(repository, said.id)).toEqual(['eyes', reaction]);
    expect(replies(repository, 1)).toHaveLength(1);
    expect(replies(repository, 1)[0]).toContain(answer);
  });

  test('without permission gets 😕 and the reason; the event is not believed', async () => {
    const repository = await launched();
    const said = people.comment(stage.double, repository, 1, '/stop', 'visitor');
    await stage.settled();
    expect(reactions(repository, said.id)).toEqual(['eyes', 'confused']);
    expect(replies(repository, 1)[0]).toContain('needs write in this repository; you have read');
    expect(repository.dispatches).toHaveLength(1);
  });

  test('a team gives permission that the role does not', async () => {
    const repository = await launched();
    stage.double.world.teams.set('acme/migrators', new Set(['visitor']));
    repository.git.commit(
      'main',
      {
        '.github/sprocket.yml': 'commands: { default: { permission: admin, teams: [migrators] } }',
      },
      'Settings',
    );
    people.comment(stage.double, repository, 1, '/pause', 'visitor');
    const refused = people.comment(stage.double, repository, 1, '/pause', 'octocat');
    await stage.settled();
    expect(repository.dispatches).toHaveLength(2);
    expect(reactions(repository, refused.id)).toEqual(['eyes', 'confused']);
  });

  test('for the run is handed on by ids, once however often it comes', async () => {
    const repository = await launched();
    const said = people.comment(stage.double, repository, 1, '/skip dw.load_a() `; rm -rf /`');
    await stage.settled();
    const sent = repository.dispatches[1];
    expect(sent?.event).toBe('sprocket-control');
    expect(sent?.payload).toMatchObject({
      person: 'octocat',
      what: { kind: 'comment', comment: said.id, issue: 1 },
    });
    expect(JSON.stringify(sent?.payload)).not.toContain('rm');
    people.startWorkflow(stage.double, repository, `Sprocket ${String(sent?.payload['request'])}`);
    const delivery = stage.double.world.deliveries.findLast(
      ({ event }) => event === 'issue_comment',
    );
    if (delivery === undefined) throw new Error('nothing delivered');
    await stage.double.deliver(delivery, stage.double.webhookUrl ?? '');
    expect(repository.dispatches).toHaveLength(2);
    expect(reactions(repository, said.id)).toEqual(['eyes']);
  });

  test('of ordinary talk, of bots, and edited later, is left alone', async () => {
    const repository = await launched();
    const talk = people.comment(stage.double, repository, 1, 'please /stop it');
    people.comment(stage.double, repository, 1, '/stop', 'dependabot[bot]');
    people.editComment(stage.double, repository, talk, '/stop');
    people.comment(
      stage.double,
      repository,
      people.openIssue(stage.double, repository).number,
      '/assign @me',
    );
    await stage.settled();
    expect(repository.dispatches).toHaveLength(1);
    expect([...repository.comments.values()].flatMap((each) => each.reactions)).toEqual([]);
  });
});

describe('the monitor issue', () => {
  test('that somebody closed still hears, and is opened by the next launch', async () => {
    const repository = await launched();
    const issue = repository.issues.get(1);
    if (issue === undefined) throw new Error('no issue');
    issue.state = 'closed';
    people.comment(stage.double, repository, 1, '/stop');
    await stage.settled();
    expect(repository.dispatches.at(-1)?.event).toBe('sprocket-control');
    people.push(stage.double, repository, { 'plan.md': `${PLAN}\nmore\n` });
    await stage.settled();
    expect(repository.issues.size).toBe(1);
    expect(issue.state).toBe('open');
  });

  test('a ticked box is handed on; of somebody without permission, refused', async () => {
    const repository = await launched();
    const issue = repository.issues.get(1);
    if (issue === undefined) throw new Error('no issue');
    issue.body += `\n- [ ] retry \`dw.load_a()\` <!-- sprocket:retry:${'0'.repeat(16)} -->\n- [ ] skip \`dw.load_a()\` <!-- sprocket:skip:${'0'.repeat(16)} -->`;
    people.tick(stage.double, repository, issue, 'retry');
    await stage.settled();
    expect(repository.dispatches[1]?.payload).toMatchObject({
      what: { kind: 'boxes', boxes: [`retry:${'0'.repeat(16)}`] },
    });
    people.tick(stage.double, repository, issue, 'skip', 'visitor');
    await stage.settled();
    expect(repository.dispatches).toHaveLength(2);
    expect(replies(repository, 1)[0]).toContain('The box of visitor');
  });
});
