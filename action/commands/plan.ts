/** `plan`: reads and checks the plan, and starts its run or takes it up again. */
import { error as logError, info, warning } from '@actions/core';
import { openCatalog } from '../../src/adapters/postgres/catalog-reader.ts';
import { formatTables, workerNumbers } from '../../src/core/checkrun/job.ts';
import { MOST_ANNOTATIONS } from '../../src/core/checkrun/limits.ts';
import type { CheckContent } from '../../src/core/checkrun/types.ts';
import { problemAnnotations } from '../../src/core/checkrun/annotations.ts';
import { launchProblems } from '../../src/core/plan/launch.ts';
import { runPayload } from '../../src/core/checkrun/launch.ts';
import type { Plan, PlanProblem } from '../../src/core/plan/types.ts';
import { markdownText } from '../../src/core/report/markdown.ts';
import { reporter } from '../../src/usecases/github-report.ts';
import { bringManualModels } from '../../src/usecases/manual.ts';
import { readSource } from '../../src/usecases/run-source.ts';
import { resumeInterrupted } from '../../src/usecases/github-resume.ts';
import { statusReader } from '../../src/usecases/status.ts';
import { beginAction } from '../../src/usecases/github-control.ts';
import { startRun, StartRefused } from '../../src/usecases/run.ts';
import { payloadOf, readPlanAt } from '../plan-of-run.ts';
import { JobError, output, runnerEvent, workflowUrl } from '../runner.ts';
import {
  databaseAddress,
  openJob,
  openPlanMetadata,
  reportInterval,
  sandboxUrl,
} from '../wiring.ts';

export async function planCommand(): Promise<void> {
  const { context, repository } = await openJob('plan');
  const { github, clock } = context;
  const event = runnerEvent();
  output('workers', '[]');
  output('proceed', false);
  if (event.name === 'schedule') {
    const resumed = await resumeInterrupted(context);
    info(resumed.length === 0 ? 'There is nothing to resume.' : `Goes on: ${resumed.join(', ')}.`);
    return;
  }
  const payload = payloadOf(event, runPayload);
  const { plan, text, path } = await readPlanAt(context, payload.sha);
  const refuse = async (problems: readonly PlanProblem[]): Promise<never> => {
    await github.updateCheck(payload.check_run, refusedCheck(path, problems));
    for (const { line, message } of problems.slice(0, MOST_ANNOTATIONS)) {
      logError(message, { title: 'Not launched', file: path, startLine: line });
    }
    throw new JobError(`${path} can't be run: ${problems.length} of its lines stand against it.`);
  };
  const set = Object.entries(process.env).filter(([, value]) => (value ?? '') !== '');
  const problems = [
    ...launchProblems(plan, new Set(set.map(([name]) => name))),
    ...sandboxProblems(plan),
  ];
  if (problems.length > 0) return refuse(problems);
  const metadata = await openPlanMetadata(plan);
  try {
    await metadata.migrate();
    if (payload.leg === 1) await beginAction(context, metadata, plan.settings.name, payload);
    const source = databaseAddress(plan.settings.source.urlVariable);
    try {
      const { warnings } = await startRun({
        metadata,
        clock,
        plan,
        planText: text,
        baseCommit: payload.sha,
        catalog: await readSource(openCatalog, source, plan),
      });
      for (const message of warnings) warning(message);
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      return await refuse(
        error.problems.map(({ message }) => ({
          line: 1,
          column: 1,
          code: 'procedure-unknown',
          message,
        })),
      );
    }
    await bringManualModels(metadata, repository, plan.settings.name);
    const reporting = {
      metadata,
      plan,
      path,
      payload,
      workflowUrl: workflowUrl(),
      branch: repository,
      interval: reportInterval(),
    };
    const before = await statusReader(metadata, clock, plan.settings.name).read();
    const open = before?.summary.state === 'open';
    const reported = await reporter(context, reporting).report(open ? 'running' : null);
    const workers = open
      ? workerNumbers(plan.settings.workers, reported?.status.progress.rows.length ?? 1)
      : [1];
    output('tables', formatTables(plan, path));
    output('workers', JSON.stringify(workers));
    output('proceed', true);
  } finally {
    await metadata.close();
  }
}

/** A runner has no server of its own to prove on. */
function sandboxProblems(plan: Plan): readonly PlanProblem[] {
  if (plan.settings.sandbox !== null || sandboxUrl(plan) !== null) return [];
  const message =
    'The plan names no sandbox, and this job has none. Write "sandbox: { url: SANDBOX_DATABASE_URL }", and pass that variable to the step under env, as the workflow that Sprocket wrote does.';
  return [{ line: 1, column: 1, code: 'variable-empty', message }];
}

function refusedCheck(path: string, problems: readonly PlanProblem[]): CheckContent {
  const list = problems.map(
    ({ line, message }) => `- \`${path}\` line ${line}: ${markdownText(message)}`,
  );
  return {
    state: { status: 'completed', conclusion: 'action_required' },
    title: `Not launched: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`,
    summary: `The plan can't be run here:\n\n${list.slice(0, 100).join('\n')}\n\nMend it, then comment \`/launch\`.`,
    text: null,
    annotations: problemAnnotations(path, problems),
    buttons: [{ label: 'Launch', description: 'Start the plan', identifier: 'launch' }],
    detailsUrl: workflowUrl(),
  };
}
