/** The commands of the built Action in a runner's environment, where something is not as it must be. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { mintWithKey } from '../../src/adapters/github/app-key.ts';
import { connectAsApp } from '../../src/adapters/github/client.ts';
import { openGitHub } from '../../src/adapters/github/github.ts';
import { MIGRATION_PERMISSIONS } from '../../src/adapters/github/permissions.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { MOST_RESUMED } from '../../src/core/checkrun/launch.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import { planSkeleton } from '../../src/core/workflows/template.ts';
import type { GitHubContext } from '../../src/usecases/github-context.ts';
import { launch } from '../../src/usecases/github-launch.ts';
import { buildAction } from '../../scripts/build-action.ts';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { planText } from '../core/checkrun/plans.ts';
import { PRIVATE_KEY } from '../github/auth.ts';
import { GitHubDouble } from '../github/double.ts';
import { runJob } from '../github/job.ts';
import type { JobOptions } from '../github/job.ts';
import { startWorkflow } from '../github/people.ts';
import { APP, BOT } from '../github/state.ts';
import type { RepositoryState } from '../github/state.ts';

const BUNDLE = join(import.meta.dirname, '../../build/action-commands-test');
const PLAN = planText([{ name: 'dw.load_total()' }]);
const WAREHOUSE = `
  CREATE SCHEMA src; CREATE SCHEMA dw;
  CREATE TABLE src.orders (id int PRIMARY KEY, amount numeric NOT NULL);
  CREATE TABLE dw.total (total numeric);
  CREATE PROCEDURE dw.load_total() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.total;
    INSERT INTO dw.total SELECT sum(amount) FROM src.orders;
  END $$;`;
const INPUTS = { 'app-id': String(APP.id), 'private-key': PRIVATE_KEY };

let double: GitHubDouble;
let repository: RepositoryState;
let context: GitHubContext;
let server: ScratchServer | undefined;
let url = '';

beforeAll(async () => {
  const building = buildAction(BUNDLE);
  server = await openScratchServer();
  url = await server.create('action_commands');
  const sql = await connectTo(url);
  await sql.query(WAREHOUSE);
  await sql.close();
  double = await GitHubDouble.start();
  repository = double.addRepository('acme', 'migration', { 'plan.md': PLAN });
  const transport = {
    baseUrl: double.url,
    throttle: false,
    second: 5,
    timeout: 10_000,
    onWarning: () => undefined,
  };
  const connection = await connectAsApp(
    mintWithKey({ appId: INPUTS['app-id'], privateKey: PRIVATE_KEY }, transport),
    { owner: 'acme', repo: 'migration' },
    MIGRATION_PERMISSIONS,
    transport,
  );
  context = { github: openGitHub(connection), clock: systemClock };
  await building;
});

afterEach(() => {
  double.rates.forget();
  expect(double.violations.splice(0)).toEqual([]);
});

afterAll(async () => {
  await double.stop();
  await server?.close();
});

type Change = Partial<Pick<JobOptions, 'inputs' | 'event' | 'environment' | 'repository'>>;

function run(command: string | null, change: Change = {}) {
  return runJob({
    bundle: BUNDLE,
    double,
    repository: change.repository ?? repository,
    inputs: { ...INPUTS, command, ...change.inputs },
    event: change.event ?? dispatched(),
    environment: { SOURCE_DATABASE_URL: url, TARGET_DATABASE_URL: url, ...change.environment },
  });
}

/** The dispatch that the last launch sent. */
function dispatched(target = repository): JobOptions['event'] {
  const last = target.dispatches.at(-1);
  return { name: 'repository_dispatch', payload: { client_payload: last?.payload } };
}

async function launched() {
  await launch(context, repository.git.resolve('main') ?? '', { again: true });
  const check = [...repository.checks.values()].at(-1);
  if (check === undefined) throw new Error('not launched');
  return check;
}

describe('a step that is not set up as it must be fails, and says what to do', () => {
  const push = { name: 'push', payload: { ref: 'refs/heads/main' } };
  const strange = { name: 'repository_dispatch', payload: { client_payload: { run: '$(id)' } } };
  const cases: readonly (readonly [string, string | null, Change, string])[] = [
    ['no command', null, {}, 'The input command is missing. What to do: scope, plan'],
    ['another command', 'deploy', {}, 'There is no command "deploy". Write one of scope, plan'],
    ['no App', 'plan', { inputs: { 'app-id': null, 'private-key': '' } }, 'Give app-url, or both'],
    [
      'an empty key',
      'plan',
      { inputs: { 'private-key': '' } },
      'The input private-key is missing.',
    ],
    [
      'no key',
      'plan',
      { inputs: { 'private-key': 'hunter2' } },
      'Paste the whole file that GitHub',
    ],
    [
      'no right to prove itself',
      'plan',
      { inputs: { 'app-url': 'https://x.example' } },
      'id-token: write',
    ],
    [
      'an address without TLS',
      'plan',
      { inputs: { 'app-url': 'http://x.example' } },
      'app-url is no https',
    ],
    [
      'another event',
      'plan',
      { event: push },
      'this is push. Use the workflow that Sprocket wrote.',
    ],
    ['another event', 'work', { event: push }, 'this is push.'],
    ['another event', 'finish', { event: push }, 'this is push.'],
    ['another event', 'control', { event: push }, 'this is push.'],
    ["a stranger's dispatch", 'plan', { event: strange }, "The dispatch is none of Sprocket's"],
    ["a stranger's dispatch", 'control', { event: strange }, "The dispatch is none of Sprocket's"],
    [
      'no repository',
      'plan',
      { environment: { GITHUB_REPOSITORY: '' } },
      'GITHUB_REPOSITORY is not set.',
    ],
    [
      'no secret',
      'scope',
      { environment: { SOURCE_DATABASE_URL: '' } },
      'SOURCE_DATABASE_URL is empty. Add a secret',
    ],
  ];
  test.each(cases)('%s: %s', async (_what, command, change, message) => {
    const { status, log } = await run(command, change);
    expect(status).toBe(1);
    expect(log).toMatch(/^::error::/mu);
    expect(log).toContain(message);
    expect(log).not.toContain('hunter2');
    expect(log).not.toMatch(/^ {4}at /mu);
  });

  test('an App that is not installed here', async () => {
    const elsewhere = { ...repository, name: 'elsewhere' };
    const { status, log } = await run('plan', { repository: elsewhere });
    expect(status).toBe(1);
    expect(log).toContain('that the App is installed on this repository');
  });

  test.each([
    [null, 'The input tables is missing. For work and finish'],
    ['{"plan":"sales"}', 'The input tables holds something else.'],
    ['where?', 'The input tables holds something else.'],
  ])('work on tables that nothing says where they are: %s', async (tables, message) => {
    await launched();
    const { status, log } = await run('work', { inputs: { tables } });
    expect(status).toBe(1);
    expect(log).toContain(message);
  });

  test('a number that is none', async () => {
    await launched();
    const planned = await run('plan', { environment: { SANDBOX_DATABASE_URL: url } });
    expect(planned.status).toBe(0);
    const tables = planned.outputs['tables'] ?? '';
    expect(tables).not.toContain(new URL(url).password);
    double.requests.splice(0);
    const { status, log } = await run('work', { inputs: { minutes: 'soon', tables } });
    expect(status).toBe(1);
    expect(log).toContain('The input minutes takes a number of minutes');
    // A worker that does not lead has no business with GitHub.
    expect(double.requests).toEqual([]);
  });
});

describe('plan', () => {
  test('notes on its line what stands against the launch, in log and check run', async () => {
    const check = await launched();
    const { status, log, outputs } = await run('plan', {
      environment: { TARGET_DATABASE_URL: '' },
    });
    expect(status).toBe(1);
    expect(outputs).toMatchObject({ proceed: 'false', workers: '[]' });
    expect(log).toMatch(
      /^::error title=Not launched,file=plan\.md,line=5::The environment variable TARGET_DATABASE_URL/mu,
    );
    expect(log).toMatch(
      /^::error title=Not launched,file=plan\.md,line=1::The plan names no sandbox/mu,
    );
    expect(check).toMatchObject({ status: 'completed', conclusion: 'action_required' });
    expect(check.annotations).toHaveLength(2);
  });

  test('shows no password where the database refuses it', async () => {
    await launched();
    const wrong = new URL(url);
    wrong.password = 'hunter%232';
    const environment = { TARGET_DATABASE_URL: wrong.href, SANDBOX_DATABASE_URL: url };
    const { status, log } = await run('plan', { environment });
    expect(status).toBe(1);
    expect(log).toMatch(/^::error::.*TARGET_DATABASE_URL/mu);
    for (const secret of ['hunter', wrong.href, PRIVATE_KEY.slice(100, 140)]) {
      expect(log).not.toContain(secret);
    }
  });

  test('hides every password of its environment, as it stands in the URL and as it is', async () => {
    const other = 'mysql://reader:open%20sesame%23@db.example/sales?password=second';
    const { log } = await run('plan', {
      environment: { OTHER_URL: other, SAYS: 'nothing' },
      inputs: { command: 'open%20sesame%23 or open sesame# or second' },
    });
    expect(log).toContain('There is no command "*** or *** or ***"');
  });

  test('on a schedule asks an interrupted run to go on, at most three times, and no run that works', async () => {
    const check = await launched();
    const before = repository.dispatches.length;
    const run0 = String(repository.dispatches.at(-1)?.payload['run']);
    const working = startWorkflow(double, repository, `Sprocket ${run0} 1`);
    const event = { name: 'schedule', payload: { schedule: '17 * * * *' } };
    expect(await run('plan', { event })).toMatchObject({
      status: 0,
      outputs: { proceed: 'false', workers: '[]' },
    });
    expect(repository.dispatches.length).toBe(before);
    working.status = 'completed';
    for (let hour = 0; hour < MOST_RESUMED + 2; hour += 1) {
      const { status } = await run('plan', { event });
      expect(status).toBe(0);
    }
    const asked = repository.dispatches.slice(before).map(({ payload }) => payload);
    expect(asked.map(({ leg, resumed }) => [leg, resumed])).toEqual([
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
    expect(new Set(asked.map(({ run: each }) => each))).toEqual(new Set([run0]));
    expect(check.status).toBe('queued');
  });
});

describe('scope', () => {
  test('reads the source, and offers the plan in one pull request, however often', async () => {
    const fresh = double.addRepository('acme', 'fresh', { 'plan.md': planSkeleton('fresh') });
    const event = { name: 'workflow_dispatch', payload: {} };
    const environment = { SANDBOX_DATABASE_URL: url };
    const first = await run('scope', { repository: fresh, event, environment });
    expect(first).toMatchObject({ status: 0 });
    expect(first.log).toContain('The plan is offered at https://github.com/acme/fresh/pull/1');
    await run('scope', { repository: fresh, event, environment });
    const pulls = [...fresh.issues.values()].filter(({ pull }) => pull !== null);
    expect(pulls).toHaveLength(1);
    expect(pulls[0]).toMatchObject({ author: BOT, pull: { head: 'sprocket-scope', base: 'main' } });
    const text = fresh.git.run(['show', 'sprocket-scope:plan.md']);
    const { plan, problems } = parsePlan(text);
    expect(problems).toEqual([]);
    expect(plan?.settings).toMatchObject({
      name: 'fresh',
      sandbox: { urlVariable: 'SANDBOX_DATABASE_URL' },
    });
    expect(plan?.procedures.map(({ id, include }) => [id, include])).toEqual([
      ['dw.load_total()', true],
    ]);
    expect(text).not.toContain(new URL(url).password);
  });

  test('can do nothing but offer: its token has no more rights', () => {
    const offered = [...double.world.tokens.values()].filter(({ repositories }) =>
      repositories?.includes('fresh'),
    );
    expect(offered.length).toBeGreaterThan(0);
    for (const { permissions } of offered) {
      expect(permissions).toEqual({ contents: 'write', metadata: 'read', pull_requests: 'write' });
    }
  });
});
