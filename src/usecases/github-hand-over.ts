/** Brings what a person asked for to the metadata tables: at once where they can be reached from here, else by the workflow. */
import { CONTROL_EVENT, parseWorkflowRunName } from '../core/checkrun/launch.ts';
import type { ControlPayload } from '../core/checkrun/launch.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { Plan } from '../core/plan/types.ts';
import { ConnectionError } from '../ports/catalog.ts';
import type { GitHub } from '../ports/github.ts';
import { MetadataError } from '../ports/metadata.ts';
import type { Leadership, Metadata } from '../ports/metadata.ts';
import { NO_RUN, readPlans, RefusedError } from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { control } from './github-control.ts';
import { reporter } from './github-report.ts';

export interface CommandContext extends GitHubContext {
  /** Opens the tables that a plan's run may have; null, at either place, where there is no way to them. */
  readonly openTables: ((plan: Plan) => Promise<RunTables | null>) | null;
  /** Milliseconds between two reports of a run. */
  readonly reportInterval: number;
}

export interface RunTables {
  readonly metadata: Metadata;
  /** Of the reports of the run: held by a worker where one lives. */
  readonly leadership: Leadership;
  close(): Promise<void>;
}

export interface HandedOver extends Pick<ControlPayload, 'request' | 'person' | 'at' | 'what'> {
  /** Only a job has what it takes. */
  readonly needsWorkflow: boolean;
}

/** Has a request done. Twice is harmless: what was done is known by its id. */
export async function handOver(
  context: CommandContext,
  { issue, marker }: Monitor,
  { needsWorkflow, ...asked }: HandedOver,
): Promise<void> {
  if (marker.check_run === null) throw new RefusedError(NO_RUN);
  const payload: ControlPayload = {
    ...asked,
    run: marker.run,
    sha: marker.sha,
    check_run: marker.check_run,
    issue: issue.number,
  };
  if (!needsWorkflow && (await doneAtOnce(context, payload))) return;
  await context.github.dispatch(CONTROL_EVENT, payload);
}

/** False where the tables can't be reached from here, or are not those of this run. */
async function doneAtOnce(context: CommandContext, payload: ControlPayload): Promise<boolean> {
  const { github, openTables, reportInterval: interval } = context;
  if (openTables === null) return false;
  const {
    path,
    files: [file = null],
  } = await readPlans(github, [payload.sha]);
  const text = file?.text ?? '';
  const { plan } = parsePlan(text);
  if (plan === null) return false;
  try {
    const tables = await openTables(plan);
    if (tables === null) return false;
    const { metadata, leadership } = tables;
    try {
      const run = await metadata.run(plan.settings.name);
      // A plan of the same name may run elsewhere.
      if (run === null || run.planText !== text) return false;
      await metadata.migrate();
      await control(context, { metadata, plan, payload, release: null });
      const { issue } = payload;
      // Where a worker reports, it does so within seconds anyhow.
      if (issue !== null && (await leadership.holds())) {
        const options = {
          metadata,
          plan,
          path,
          payload,
          workflowUrl: null,
          branch: null,
          interval,
        };
        await reporter(context, options).report(null);
      }
      return true;
    } finally {
      await tables.close();
    }
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof MetadataError) return false;
    throw error;
  }
}

/** Whether a workflow took up the dispatch of a request. */
export async function wasDispatched(github: GitHub, id: string, since: string): Promise<boolean> {
  const runs = await github.dispatchedRuns(since);
  return runs.some(({ title }) => parseWorkflowRunName(title)?.id === id);
}
