/** Runs the jobs of the workflow template, in its order and its concurrency groups. */
import { PRIVATE_KEY } from './auth.ts';
import type { GitHubDouble } from './double.ts';
import { startJob } from './job.ts';
import type { JobOptions, JobResult, RunningJob } from './job.ts';
import { endWorkflow, startWorkflow } from './people.ts';
import { APP } from './state.ts';
import type { Dispatch, RepositoryState, WorkflowRunState } from './state.ts';

export interface EndedJob extends JobResult {
  readonly command: string;
  /** What it wrote, not hidden. */
  readonly said: string;
}

/** As whom jobs act: inputs, and what else a runner gives them for it. */
export type Acting = (repository: RepositoryState) => Pick<JobOptions, 'inputs' | 'environment'>;

const WITH_KEY: Acting = () => ({
  inputs: { 'app-id': String(APP.id), 'private-key': PRIVATE_KEY },
  environment: {},
});

interface Workflow {
  readonly repository: RepositoryState;
  readonly run: WorkflowRunState;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>> | null;
  /** Its machines are gone: no job of it begins or ends any more. */
  lost: boolean;
}

export class WorkflowRunner {
  readonly results: EndedJob[] = [];
  readonly #double: GitHubDouble;
  readonly #bundle: string;
  readonly #secrets: Readonly<Record<string, string>>;
  readonly #acting: Acting;
  /** Concurrency groups: runs go one after the other, and so do requests. */
  readonly #groups = new Map<string, Promise<void>>();
  readonly #taken = new WeakSet<Dispatch>();
  readonly #living = new Map<RunningJob, Workflow>();

  constructor(
    double: GitHubDouble,
    bundle: string,
    secrets: Readonly<Record<string, string>>,
    acting: Acting = WITH_KEY,
  ) {
    this.#double = double;
    this.#bundle = bundle;
    this.#secrets = secrets;
    this.#acting = acting;
    double.onDispatch = (repository) => this.#takeUp(repository);
  }

  /** Waits until no workflow runs any more, and no webhook is under way. */
  async settled(): Promise<void> {
    for (;;) {
      const before = [...this.#groups.values()];
      await Promise.all(before);
      await this.#double.settled();
      if ([...this.#groups.values()].every((each) => before.includes(each))) return;
    }
  }

  /** A person starts the workflow by hand. */
  async byHand(repository: RepositoryState): Promise<EndedJob> {
    const run = startWorkflow(this.#double, repository, 'Sprocket workflow_dispatch', {
      event: 'workflow_dispatch',
    });
    const workflow = { repository, run, event: 'workflow_dispatch', payload: null, lost: false };
    const result = await this.#job(workflow, 'scope');
    endWorkflow(this.#double, repository, run, result.status === 0 ? 'success' : 'failure');
    return result;
  }

  /** The machines of the workflow that works on a run are gone, from one moment to the next. */
  loseMachines(repository: RepositoryState): number {
    const lost = [...this.#living].filter(
      ([, workflow]) => workflow.repository === repository && workflow.event === 'sprocket-run',
    );
    for (const [job, workflow] of lost) {
      workflow.lost = true;
      job.lose();
    }
    return lost.length;
  }

  async close(): Promise<void> {
    this.#double.onDispatch = null;
    for (const job of this.#living.keys()) job.lose();
    await this.settled();
  }

  #takeUp(repository: RepositoryState): void {
    for (const dispatch of repository.dispatches) {
      if (this.#taken.has(dispatch)) continue;
      this.#taken.add(dispatch);
      const { payload, event } = dispatch;
      const title =
        event === 'sprocket-run'
          ? `Sprocket ${String(payload['run'])} ${String(payload['leg'])}`
          : `Sprocket ${String(payload['request'])}`;
      const run = startWorkflow(this.#double, repository, title, { status: 'queued' });
      const workflow = { repository, run, event, payload, lost: false };
      const group = `${repository.name} ${event}`;
      const before = this.#groups.get(group) ?? Promise.resolve();
      this.#groups.set(
        group,
        before.then(() => this.#workflow(workflow)),
      );
    }
  }

  async #workflow(workflow: Workflow): Promise<void> {
    const { event, repository, run } = workflow;
    run.status = 'in_progress';
    const job: RunJob = (command, inputs) => this.#job(workflow, command, inputs);
    const results =
      event === 'sprocket-run' ? await this.#run(workflow, job) : [await job('control')];
    const failed = workflow.lost || results.some(({ status }) => status !== 0);
    endWorkflow(this.#double, repository, run, failed ? 'failure' : 'success');
  }

  async #run(workflow: Workflow, job: RunJob): Promise<EndedJob[]> {
    const plan = await job('plan');
    if (plan.status !== 0 || plan.outputs['proceed'] !== 'true') return [plan];
    const tables = plan.outputs['tables'] ?? '';
    const workers: unknown = JSON.parse(plan.outputs['workers'] ?? '[]');
    const numbers = Array.isArray(workers) ? workers.map(String) : [];
    const worked = await Promise.all(numbers.map((worker) => job('work', { tables, worker })));
    return workflow.lost ? [plan, ...worked] : [plan, ...worked, await job('finish', { tables })];
  }

  async #job(
    workflow: Workflow,
    command: string,
    inputs: JobOptions['inputs'] = {},
  ): Promise<EndedJob> {
    const { repository, event, payload, run } = workflow;
    const acting = this.#acting(repository);
    const job = startJob({
      bundle: this.#bundle,
      double: this.#double,
      repository,
      inputs: { command, ...acting.inputs, ...inputs },
      event:
        payload === null
          ? { name: event, payload: { inputs: {} } }
          : { name: 'repository_dispatch', payload: { action: event, client_payload: payload } },
      environment: {
        ...this.#secrets,
        ...acting.environment,
        GITHUB_RUN_ID: String(run.id),
      },
    });
    this.#living.set(job, workflow);
    const ended = await job.ended;
    this.#living.delete(job);
    const result = { ...ended, command, said: job.said() };
    this.results.push(result);
    return result;
  }
}

type RunJob = (command: string, inputs?: JobOptions['inputs']) => Promise<EndedJob>;
