/** `sprocket run`: starts the run, its workers, and keeps its branch up to date. */
import { dirname, relative } from 'node:path';
import { openRepository } from '../adapters/git/repository.ts';
import { openCatalog } from '../adapters/postgres/catalog-reader.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { effectiveAction } from '../core/lifecycle/action.ts';
import { launchProblems } from '../core/plan/launch.ts';
import type { Plan } from '../core/plan/types.ts';
import { progressTitle } from '../core/report/progress.ts';
import { count } from '../core/report/text.ts';
import type { Metadata } from '../ports/metadata.ts';
import { RepositoryError } from '../ports/repository.ts';
import { publish } from '../usecases/finish.ts';
import type { Published, PublishOptions } from '../usecases/finish.ts';
import { bringManualModels } from '../usecases/manual.ts';
import { readSource } from '../usecases/run-source.ts';
import { startRun } from '../usecases/run.ts';
import { statusReader } from '../usecases/status.ts';
import type { RunStatus } from '../usecases/status.ts';
import { openWorkSandbox } from './engine.ts';
import { movesOnly, runTables } from './moved_only.ts';
import { EXIT, UsageError } from './output/failure.ts';
import { liveView } from './output/live.ts';
import type { LiveView } from './output/live.ts';
import { databaseAddress, openPlanMetadata, print, readPlan } from './session.ts';
import type { PlanFile, PlanOptions } from './session.ts';
import { listenForEnd } from './signals.ts';
import { startWorkers } from './workers.ts';
import type { WorkerFailure, Workers } from './workers.ts';

export interface RunOptions extends PlanOptions {
  readonly workers?: number;
  readonly batch: number;
  readonly resume?: boolean;
}

/** Milliseconds between two looks at the run, and at least between two commits. */
const LOOK = 500;
const COMMIT = 10_000;

export async function runCommand(options: RunOptions): Promise<void> {
  const file = await readPlan(options);
  checkLaunch(file, options);
  if (movesOnly(file.plan)) return runTables(options, file.plan);
  const metadata = await openPlanMetadata(file.plan);
  try {
    await metadata.migrate();
    if (options.resume === true) await metadata.setAction('RUN');
    const { action } = effectiveAction(await metadata.actions());
    if (action === 'STOP') {
      const message = 'The action is STOP. Nothing was done; "sprocket resume" lets it run again.';
      print(options, { stopped: true }, message);
      return;
    }
    await start(options, file, metadata);
  } finally {
    await metadata.close();
  }
}

function checkLaunch({ plan }: PlanFile, options: RunOptions): void {
  const environment = Object.entries(process.env).filter(([, value]) => (value ?? '') !== '');
  const problems = launchProblems(plan, new Set(environment.map(([name]) => name)));
  if (problems.length === 0) return;
  const list = problems.map(({ line, column, message }) => `  ${line}:${column}  ${message}`);
  throw new UsageError(`${options.plan} can't be run here:\n${list.join('\n')}`, '');
}

async function start(options: RunOptions, file: PlanFile, metadata: Metadata): Promise<void> {
  const { plan, text, path } = file;
  const { settings } = plan;
  const repository = await openRepository(dirname(path));
  const source = databaseAddress(settings.source.urlVariable);
  const { warnings } = await startRun({
    metadata,
    clock: systemClock,
    plan,
    planText: text,
    baseCommit: await repository.resolve('HEAD'),
    catalog: await readSource(openCatalog, source, plan),
  });
  const view = options.json === true ? silentView : liveView(process.stdout, systemClock);
  for (const warning of warnings) view.say(`Warning: ${warning}`);
  const publishing = {
    metadata,
    repository,
    clock: systemClock,
    plan: settings.name,
    planPath: relative(repository.root, path),
  };
  // Says at once what would stand in the way at the end, e.g. a branch that is checked out.
  let published = await publish(publishing);
  let end: Accompanied = { failures: [], interrupted: false };
  await bringManualModels(metadata, repository, settings.name);
  if (published.summary.state === 'open') {
    end = await workThrough(options, plan, publishing, view);
    published = await publish(publishing);
  }
  const status = await statusReader(metadata, systemClock, settings.name).read();
  if (status !== null) finishView(options, view, status, published, end.failures);
  process.exitCode = exitStatusOf(published, end);
}

async function workThrough(
  options: RunOptions,
  plan: Plan,
  publishing: PublishOptions,
  view: LiveView,
): Promise<Accompanied> {
  const { settings } = plan;
  const sandbox = await openWorkSandbox(plan);
  try {
    const workers = startWorkers(options.workers ?? settings.workers, {
      plan: settings.name,
      target: settings.target.urlVariable,
      schema: settings.target.metadataSchema,
      most: options.batch,
      environment: sandbox.environment,
    });
    return await accompany(workers, publishing, view);
  } finally {
    await sandbox.close();
  }
}

interface Accompanied {
  readonly failures: readonly WorkerFailure[];
  readonly interrupted: boolean;
}

/** Shows the run and commits what is done, until all workers have ended. */
async function accompany(
  workers: Workers,
  publishing: PublishOptions,
  view: LiveView,
): Promise<Accompanied> {
  const over = new AbortController();
  const ending = listenForEnd(() => {
    view.say('Stopping: what is under way is recorded first …');
    workers.stop();
  });
  const ended = workers.ended.finally(() => over.abort());
  try {
    await showUntil(over.signal, publishing, view);
  } catch (error) {
    // Without a picture of the run nobody knows whether the workers do any good.
    workers.stop();
    await ended;
    throw error;
  } finally {
    ending.dispose();
  }
  return { failures: await ended, interrupted: ending.signal.aborted };
}

async function showUntil(
  over: AbortSignal,
  publishing: PublishOptions,
  view: LiveView,
): Promise<void> {
  const reader = statusReader(publishing.metadata, systemClock, publishing.plan);
  let committed = { done: 0, at: Date.now() };
  while (!over.aborted) {
    const status = await reader.read();
    if (status !== null) {
      view.show(status);
      const done = doneCount(status);
      if (done !== committed.done && Date.now() - committed.at >= COMMIT) {
        await publishQuietly(publishing, view);
        committed = { done, at: Date.now() };
      }
    }
    await systemClock.sleep(LOOK, over);
  }
}

function doneCount({ summary }: RunStatus): number {
  const { Pending, Blocked, Running } = summary.counts;
  return summary.total - Pending - Blocked - Running;
}

/** In the middle of a run a branch that can't be written is no reason to end. */
async function publishQuietly(publishing: PublishOptions, view: LiveView): Promise<void> {
  try {
    await publish(publishing);
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    view.say(error.message);
  }
}

function finishView(
  options: RunOptions,
  view: LiveView,
  status: RunStatus,
  published: Published,
  failures: readonly WorkerFailure[],
): void {
  view.show(status);
  const { branch, commit, projectPath, migrationPath, kept } = published;
  const lines = [
    '',
    branchLine(status, published),
    ...(kept.length === 0 ? [] : [`Left as people changed them there: ${kept.join(', ')}.`]),
    ...failures.map(({ message, advice }) => `${message}${advice === null ? '' : `\n${advice}`}`),
    ...followLines(status),
    ...failureLines(status),
  ];
  const title = progressTitle(status.progress.rows);
  print(
    options,
    { title, ...status, branch, commit, projectPath, migrationPath, kept, failures },
    lines.join('\n'),
  );
}

function branchLine({ summary }: RunStatus, published: Published): string {
  const { branch, commit, projectPath, migrationPath } = published;
  const what =
    summary.total === 0
      ? 'the plan with its Status'
      : `dbt project in ${projectPath === '' ? '.' : projectPath}/, summary in ${migrationPath}`;
  return `Branch ${branch} at ${commit.slice(0, 12)}: ${what}.`;
}

/** What people can do about what failed. */
function failureLines({ summary, pipelines }: RunStatus): readonly string[] {
  if (summary.state !== 'needs a person') return [];
  return [
    ...(pipelines.some(({ failure }) => failure !== null)
      ? ['Mend what the row of a failed pipeline says; then "sprocket retry", and run it again.']
      : []),
    ...(summary.counts.Failed > 0
      ? ['Look at what failed with "sprocket log <procedure>"; then retry, skip, manual or accept.']
      : []),
  ];
}

/** What becomes of changes at the source after the run. */
function followLines({ pipelines }: RunStatus): readonly string[] {
  const followed = pipelines.filter(
    ({ follows, stream }) => follows && stream !== null && stream.cutover !== 'done',
  );
  if (followed.length === 0) return [];
  return [
    `Nobody follows the changes of ${count(followed.length, 'table')} now; the source keeps them. ` +
      '"sprocket move" goes on with them, "sprocket cutover" ends it.',
  ];
}

function exitStatusOf({ summary }: Published, { failures, interrupted }: Accompanied): number {
  if (summary.state === 'needs a person') return EXIT.needsPerson;
  if (summary.state === 'open' && !interrupted && failures.length > 0) return EXIT.environment;
  return EXIT.ok;
}

const silentView: LiveView = { show: () => undefined, say: () => undefined };
