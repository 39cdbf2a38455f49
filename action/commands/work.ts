/** `work`: one worker of the matrix, and, where it is the one that leads, the reports. */
import { fork } from 'node:child_process';
import { error as logError, info } from '@actions/core';
import { z } from 'zod';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { runPayload } from '../../src/core/checkrun/launch.ts';
import type { Plan } from '../../src/core/plan/types.ts';
import { GitHubError } from '../../src/ports/github.ts';
import { reporter } from '../../src/usecases/github-report.ts';
import type { Reporter } from '../../src/usecases/github-report.ts';
import { openRecordedPlan, payloadOf } from '../plan-of-run.ts';
import { input, JobError, minutesInput, numberInput, runnerEvent, workflowUrl } from '../runner.ts';
import { openJob, openPlanLeadership, reportInterval, sandboxUrl } from '../wiring.ts';

const messageSchema = z.object({
  failure: z.object({ message: z.string(), advice: z.string().nullable() }),
});

export async function workCommand(): Promise<void> {
  info(`Worker ${input('worker')}`);
  const payload = payloadOf(runnerEvent(), runPayload);
  const { plan, path, metadata } = await openRecordedPlan();
  try {
    const openReporter = async (): Promise<Reporter> => {
      const { context, repository } = await openJob('work');
      return reporter(context, {
        metadata,
        plan,
        path,
        payload,
        workflowUrl: workflowUrl(),
        branch: repository,
        interval: reportInterval(),
      });
    };
    const over = new AbortController();
    const reporting = reportWhileLeading(plan, openReporter, over.signal);
    try {
      await runWorker(plan);
    } finally {
      over.abort();
      await reporting;
    }
  } finally {
    await metadata.close();
  }
}

/**
 * The engine in a process of its own: parsing takes whole seconds, in which no report would go out.
 * It ends in good order at the limit and when the job is cancelled.
 */
async function runWorker(plan: Plan): Promise<void> {
  const { settings } = plan;
  const batch = numberInput('batch', 1_000);
  const limit = minutesInput('minutes', 100_000);
  const child = fork(
    new URL('worker.mjs', import.meta.url),
    [
      '--plan',
      settings.name,
      '--target',
      settings.target.urlVariable,
      '--schema',
      settings.target.metadataSchema,
      '--most',
      String(batch),
      '--together',
      String(settings.workers),
    ],
    { env: workerEnvironment(plan), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  let failure: string | null = null;
  child.on('message', (message) => {
    const told = messageSchema.safeParse(message).data?.failure;
    if (told !== undefined) failure = `${told.message} ${told.advice ?? ''}`.trim();
  });
  let ending = false;
  const end = (): void => {
    ending = true;
    child.kill('SIGTERM');
  };
  const timer = setTimeout(() => {
    info('The time for new work is over: what is under way is recorded.');
    end();
  }, limit);
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  try {
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...args) => resolve(args));
    });
    if (failure !== null) throw new JobError(failure);
    // Told to end before it could listen: it had begun nothing.
    const endedEarly = ending && signal === 'SIGTERM';
    if (code !== 0 && !endedEarly)
      throw new JobError(
        `The worker died (${signal ?? code}). Another one goes on from its marks.`,
      );
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}

/** What the job may do on GitHub is no business of a process that works on other people's SQL. */
function workerEnvironment(plan: Plan): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:INPUT_|ACTIONS_|GITHUB_TOKEN$)/u.test(name),
  );
  const sandbox = sandboxUrl(plan);
  return {
    ...Object.fromEntries(own),
    ...(sandbox === null ? {} : { SPROCKET_SANDBOX_URL: sandbox }),
  };
}

/** Only one worker of all reports at a time: the others have no business with GitHub. */
async function reportWhileLeading(
  plan: Plan,
  open: () => Promise<Reporter>,
  over: AbortSignal,
): Promise<void> {
  const leadership = await openPlanLeadership(plan);
  let reports: Reporter | null = null;
  try {
    while (!over.aborted) {
      // Waits first: whoever led before may have written a moment ago.
      await systemClock.sleep(reportInterval(), over);
      try {
        if (over.aborted || !(await leadership.holds())) continue;
        reports ??= await open();
        await reports.report(null);
      } catch (error) {
        // A report that is missed is made up for by the next, here or by another worker; the work goes on.
        logError(messageOf(error));
      }
    }
  } finally {
    await leadership.close();
  }
}

function messageOf(error: unknown): string {
  if (error instanceof GitHubError) return `${error.message} ${error.advice}`;
  return error instanceof Error ? error.message : String(error);
}
