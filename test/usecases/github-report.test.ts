/** Progress on GitHub: check run, monitor issue and plan.md say the same, whatever became of them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openGitHub } from '../../src/adapters/github/github.ts';
import { openGitHubRepository } from '../../src/adapters/github/repository.ts';
import { formatExternalId } from '../../src/core/checkrun/launch.ts';
import { openingBody, readMarker } from '../../src/core/checkrun/monitor.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/types.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { GitHub } from '../../src/ports/github.ts';
import type { Metadata } from '../../src/ports/metadata.ts';
import type { StatusBranch } from '../../src/ports/repository.ts';
import { reporter } from '../../src/usecases/github-report.ts';
import type { Reporter } from '../../src/usecases/github-report.ts';
import {
  claimed,
  events,
  finish,
  PLAN,
  useMetadata,
} from '../adapters/postgres/metadata-harness.ts';
import { planText } from '../core/checkrun/plans.ts';
import { connectTo } from '../github/connect.ts';
import { GitHubDouble } from '../github/double.ts';
import * as people from '../github/people.ts';
import type { CheckState, RepositoryState } from '../github/state.ts';

const RUN = '11111111-2222-8333-8444-555555555555';
const TEXT = planText([{ name: 'dw.a()' }, { name: 'dw.b()' }], PLAN);
const { started } = useMetadata(TEXT);

let double: GitHubDouble;
let repository: RepositoryState;
let github: GitHub;
let branch: StatusBranch;
let metadata: Metadata;
let plan: Plan;
let number = 0;
let now = 0;
const waits: number[] = [];
const clock: Clock = {
  now: () => new Date(now).toISOString(),
  sleep: (milliseconds) => {
    waits.push(milliseconds);
    now += milliseconds;
    return Promise.resolve();
  },
};

beforeAll(async () => {
  double = await GitHubDouble.start();
});
afterAll(() => double.stop());

/** A run of two procedures, of which the first has failed, as its launch left GitHub. */
beforeEach(async () => {
  number += 1;
  now = Date.parse('2026-03-01T10:00:00.000Z');
  waits.splice(0);
  double.rates.forget();
  repository = double.addRepository('acme', `report-${number}`, { 'plan.md': TEXT });
  const connection = await connectTo(double, repository);
  github = openGitHub(connection);
  branch = openGitHubRepository(connection);
  const parsed = parsePlan(TEXT).plan;
  if (parsed === null) throw new Error('the plan is wrong');
  plan = parsed;
  metadata = await started(['dw.a()'], ['dw.b()']);
  const ids = await claimed(metadata, 'w', 1);
  await metadata.change(
    PLAN,
    ids,
    events(...ids.map((id) => finish(id, 'w', 'It @octocat broke.'))),
  );
  const check = await github.createCheck(
    head(),
    formatExternalId({ kind: 'run', run: RUN, attempt: 0 }),
    {
      state: { status: 'queued' },
      title: 'Starting',
      summary: 'x',
      text: null,
      annotations: [],
      buttons: [],
      detailsUrl: null,
    },
  );
  const marker = {
    plan: PLAN,
    run: RUN,
    sha: head(),
    blob: repository.git.blobOf('main', 'plan.md') ?? '',
    check_run: check.id,
    attempt: 0,
    leg: 2,
    resumed: 0,
    pull_request: null,
    reported: null,
  };
  await github.createIssue({ title: `Sprocket: ${PLAN}`, body: openingBody(marker, 'Launched') });
  double.requests.splice(0);
});

function head(): string {
  return repository.git.resolve('main') ?? '';
}

function checks(): CheckState[] {
  return [...repository.checks.values()];
}

function reporting(): Reporter {
  const [check] = checks();
  return reporter(
    { github, clock },
    {
      metadata,
      plan,
      path: 'plan.md',
      payload: { run: RUN, sha: head(), check_run: check?.id ?? 0, issue: 1 },
      workflowUrl: 'https://github.com/acme/x/actions/runs/1',
      branch,
    },
  );
}

function monitor() {
  const issue = repository.issues.get(1);
  if (issue === undefined) throw new Error('no issue');
  return issue;
}

function statusOf(procedure: string): string {
  const text = repository.git.run(['show', `sprocket/${PLAN}:plan.md`]);
  return text.split('\n').find((line) => line.includes(procedure)) ?? '';
}

test('all three places say the same, in few calls, and no mention gets through', async () => {
  await reporting().report(null);
  const [check] = checks();
  expect(check?.title).toBe('0 of 2 done, 1 failed, 1 pending');
  for (const text of [check?.summary ?? '', monitor().body]) {
    expect(text).toMatch(/❌ \| `dw\.a\(\)` \| Failed .*It @&#8203;octocat broke/u);
    expect(text).toMatch(/⏳ \| `dw\.b\(\)` \| Pending/u);
  }
  expect(statusOf('dw.a()')).toContain('Failed: proven: It @octocat broke.');
  expect(statusOf('dw.b()')).toContain('Pending');
  const asked = double.requests.splice(0).map(({ method, template }) => `${method} ${template}`);
  // Two are read, two are written; the rest is for plan.md.
  expect(asked.filter((each) => /\/(?:check-runs|issues)\//u.test(each))).toHaveLength(4);
  expect(asked).toHaveLength(8);
  expect(double.violations.splice(0)).toEqual([]);
});

test('whoever reports, ten seconds lie between two reports, and twenty between two of plan.md', async () => {
  const [first, second] = [reporting(), reporting()];
  await first.report(null);
  await second.report(null);
  await first.report(null);
  expect(waits).toEqual([10_000, 10_000]);
  await metadata.change(PLAN, ['dw.a()'], events({ id: 'dw.a()', type: 'retry' }));
  await first.report(null);
  expect(statusOf('dw.a()')).toContain('Pending');
  await metadata.change(PLAN, ['dw.a()'], events({ id: 'dw.a()', type: 'skip', at: clock.now() }));
  await first.report(null);
  expect(statusOf('dw.a()')).toContain('Pending');
  await first.report(null);
  expect(statusOf('dw.a()')).toContain('Skipped');
  const log = repository.git.run(['log', '--format=%s', `main..sprocket/${PLAN}`]);
  expect(log.split('\n')).toHaveLength(1);
});

describe('a check run', () => {
  test('that is completed is followed by another of the same name when the run goes on', async () => {
    await reporting().report('needs a person');
    expect(checks()[0]).toMatchObject({ status: 'completed', conclusion: 'action_required' });
    await reporting().report('running');
    expect(checks()).toMatchObject([
      { name: 'Sprocket', status: 'completed' },
      { name: 'Sprocket', status: 'in_progress', externalId: `run:${RUN}:1` },
    ]);
    expect(readMarker(monitor().body)).toMatchObject({ check_run: checks()[1]?.id, attempt: 1 });
  });

  test('is one, where two go on with the run at the same moment', async () => {
    await reporting().report('needs a person');
    now += 10_000;
    await Promise.all([reporting().report('running'), reporting().report('running')]);
    const open = checks().filter(({ status }) => status !== 'completed');
    expect(open).toMatchObject([{ externalId: `run:${RUN}:1` }]);
    expect(open[0]?.title).toBe('0 of 2 done, 1 failed, 1 pending');
    expect(readMarker(monitor().body)?.check_run).toBe(open[0]?.id);
  });

  test('that is stale after 14 days is followed by another', async () => {
    const [check] = checks();
    if (check === undefined) throw new Error('no check run');
    check.status = 'completed';
    check.conclusion = 'stale';
    await reporting().report(null);
    expect(checks()[1]).toMatchObject({ status: 'in_progress' });
  });

  test('whose id is lost is found by its external_id', async () => {
    const marker = readMarker(monitor().body);
    monitor().body = monitor().body.replace(`"check_run":${marker?.check_run}`, '"check_run":null');
    await reporting().report(null);
    expect(checks()).toHaveLength(1);
    expect(checks()[0]?.title).toBe('0 of 2 done, 1 failed, 1 pending');
    expect(readMarker(monitor().body)?.check_run).toBe(checks()[0]?.id);
  });

  test('gets its annotations once, however often the end is told', async () => {
    await reporting().report('needs a person');
    await reporting().report('needs a person');
    await reporting().report('needs a person');
    expect(checks()[0]?.annotations).toHaveLength(1);
  });
});

describe('the monitor issue', () => {
  test('gets back the line that a person took out of it', async () => {
    monitor().body = 'I tidied up here.';
    await reporting().report(null);
    expect(readMarker(monitor().body)).toMatchObject({ run: RUN, check_run: checks()[0]?.id });
    expect(monitor().body).toContain('dw.a()');
  });

  test('that is gone leaves the check run', async () => {
    repository.issues.clear();
    await reporting().report(null);
    expect(checks()[0]?.title).toBe('0 of 2 done, 1 failed, 1 pending');
  });

  test('keeps what is ticked while a report is under way', async () => {
    await reporting().report(null);
    now += 10_000;
    double.requests.splice(0);
    const { check } = github;
    github = {
      ...github,
      check: async (id) => {
        people.tick(double, repository, monitor(), 'retry `dw.a()`');
        return check(id);
      },
    };
    await reporting().report(null);
    expect(monitor().body).toContain('- [x] retry `dw.a()`');
    // What is ticked later than that is lost: nothing else may come between.
    const asked = double.requests.map(({ method, template }) => `${method} ${template}`);
    const written = asked.findIndex((each) => /PATCH .*\/issues\//u.test(each));
    expect(asked[written - 1]).toMatch(/GET .*\/issues\//u);
  });

  test('that can not be written leaves the check run', async () => {
    double.faults.push({ method: 'PATCH', path: /\/issues\/1$/u, answer: { status: 403 } });
    await expect(reporting().report(null)).rejects.toMatchObject({ code: 'forbidden' });
    expect(checks()[0]?.title).toBe('0 of 2 done, 1 failed, 1 pending');
  });
});
