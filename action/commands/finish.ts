/** `finish`: commits, reports, opens the pull request, or asks for the next leg. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { info, summary as stepSummary } from '@actions/core';
import { stepSummaryText } from '../../src/core/checkrun/job.ts';
import type { RunSituation } from '../../src/core/checkrun/buttons.ts';
import { runPayload } from '../../src/core/checkrun/launch.ts';
import type { Plan } from '../../src/core/plan/types.ts';
import type { RepositoryName } from '../../src/ports/github.ts';
import { publish } from '../../src/usecases/finish.ts';
import type { Published } from '../../src/usecases/finish.ts';
import { openPullRequest } from '../../src/usecases/github-finish.ts';
import { dispatchRun } from '../../src/usecases/github-launch.ts';
import { reporter, situationOf } from '../../src/usecases/github-report.ts';
import { statusReader } from '../../src/usecases/status.ts';
import type { RunStatus } from '../../src/usecases/status.ts';
import { openRecordedPlan, payloadOf } from '../plan-of-run.ts';
import {
  environment,
  numberInput,
  output,
  repositoryUrl,
  runnerEvent,
  workflowUrl,
} from '../runner.ts';
import { openJob, openProduction, reportInterval } from '../wiring.ts';
import type { Job } from '../wiring.ts';

export async function finishCommand(): Promise<void> {
  const payload = payloadOf(runnerEvent(), runPayload);
  const job = await openJob('finish');
  const { context, repository } = job;
  const { clock } = context;
  const { plan, path, metadata } = await openRecordedPlan();
  const name = plan.settings.name;
  try {
    const published = await publish({ metadata, repository, clock, plan: name, planPath: path });
    const status = await statusReader(metadata, clock, name).read();
    if (status === null) return;
    const made =
      status.summary.state === 'done'
        ? await pullRequest(job, plan, payload.run, published, status)
        : null;
    const goesOn =
      status.summary.state === 'open' &&
      status.progress.action === 'RUN' &&
      payload.leg < numberInput('most-legs', 1_000);
    const over = situationAfter(status, goesOn);
    const reporting = {
      metadata,
      plan,
      path,
      payload,
      workflowUrl: workflowUrl(),
      // The commit of this job has it.
      branch: null,
      interval: reportInterval(),
    };
    const reported = await reporter(context, reporting).report(over, { pullRequest: made });
    const monitor = reported?.monitor ?? null;
    const { run, leg } = monitor?.marker ?? { run: null, leg: null };
    if (goesOn && monitor !== null && run === payload.run && leg === payload.leg) {
      info('Work is left: another workflow run goes on with it.');
      await dispatchRun(context, monitor, payload.leg + 1, payload.resumed);
    }
    await writeReport(job, published, status, made ?? monitor?.marker.pull_request ?? null);
  } finally {
    await metadata.close();
  }
}

function situationAfter(status: RunStatus, goesOn: boolean): RunSituation {
  if (goesOn) return 'running';
  if (status.summary.state === 'needs a person') return 'needs a person';
  const situation = situationOf(status);
  // Held, and nobody is there to wait: Resume starts workers again, and not by itself.
  if (situation === 'paused') return 'stopped';
  // Nobody works any more: what is neither done nor held by a person was interrupted.
  return situation === 'running' ? 'interrupted' : situation;
}

async function pullRequest(
  { context, repository }: Job,
  plan: Plan,
  run: string,
  published: Published,
  status: RunStatus,
): Promise<string> {
  const named = plan.settings.production.repository;
  const production =
    named === null
      ? { github: context.github, repository }
      : await openProduction(repositoryOf(named));
  const pull = await openPullRequest(context, {
    plan,
    run,
    published,
    migration: repository,
    migrationUrl: repositoryUrl(),
    production: production.github,
    productionRepository: production.repository,
    models: status.progress.rows.reduce((sum, { models }) => sum + models.length, 0),
  });
  return pull.url;
}

function repositoryOf(text: string): RepositoryName {
  const [owner = '', repo = ''] = text.split('/');
  return { owner, repo };
}

async function writeReport(
  { repository }: Job,
  { commit, migrationPath }: Published,
  { summary }: RunStatus,
  url: string | null,
): Promise<void> {
  const text = (await repository.readFile(commit, migrationPath)) ?? '';
  const folder = join(environment('RUNNER_TEMP'), 'sprocket');
  await mkdir(folder, { recursive: true });
  const report = join(folder, 'MIGRATION.md');
  await writeFile(report, text);
  const { counts } = summary;
  output('state', summary.state);
  output('total', summary.total);
  output(
    'completed',
    counts.Completed + counts['Completed (manual)'] + counts['Completed (accepted)'],
  );
  output('failed', counts.Failed);
  output('skipped', counts.Skipped);
  output('pull-request', url ?? '');
  output('report', report);
  await stepSummary.addRaw(stepSummaryText(text, url)).write();
}
