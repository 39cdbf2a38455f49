/** Runs the jobs of the workflow template: the built bundle, in processes with a runner's environment. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVATE_KEY } from './auth.ts';
import type { GitHubDouble } from './double.ts';
import { endWorkflow, startWorkflow } from './people.ts';
import { APP } from './state.ts';
import type { Dispatch, RepositoryState, WorkflowRunState } from './state.ts';

export interface JobResult {
  readonly command: string;
  readonly status: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

interface Workflow {
  readonly repository: RepositoryState;
  readonly run: WorkflowRunState;
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>> | null;
  /** Its machines are gone: no job of it begins or ends any more. */
  lost: boolean;
}

export class WorkflowRunner {
  readonly results: JobResult[] = [];
  readonly #double: GitHubDouble;
  readonly #bundle: string;
  readonly #secrets: Readonly<Record<string, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sprocket-runner-'));
  /** Concurrency groups: runs go one after the other, and so do requests. */
  readonly #groups = new Map<string, Promise<void>>();
  readonly #taken = new WeakSet<Dispatch>();
  readonly #living = new Map<ChildProcess, Workflow>();
  #number = 0;

  constructor(double: GitHubDouble, bundle: string, secrets: Readonly<Record<string, string>>) {
    this.#double = double;
    this.#bundle = bundle;
    this.#secrets = secrets;
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
  async byHand(repository: RepositoryState): Promise<JobResult> {
    const run = startWorkflow(this.#double, repository, 'Sprocket workflow_dispatch', {
      event: 'workflow_dispatch',
    });
    const workflow = { repository, run, event: 'workflow_dispatch', payload: null, lost: false };
    const result = await this.#job(workflow, 'scope', 1);
    endWorkflow(this.#double, repository, run, result.status === 0 ? 'success' : 'failure');
    return result;
  }

  /** The machines of the workflow that works on a run are gone, from one moment to the next. */
  loseMachines(repository: RepositoryState): number {
    const lost = [...this.#living].filter(
      ([, workflow]) => workflow.repository === repository && workflow.event === 'sprocket-run',
    );
    for (const [child, workflow] of lost) {
      workflow.lost = true;
      // With what it started: a machine takes all of it along.
      killGroup(child);
    }
    return lost.length;
  }

  async close(): Promise<void> {
    this.#double.onDispatch = null;
    for (const child of this.#living.keys()) killGroup(child);
    await this.settled();
    rmSync(this.#folder, { recursive: true, force: true });
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
    const job = (command: string, worker = 1) => this.#job(workflow, command, worker);
    const results =
      event === 'sprocket-run' ? await this.#run(workflow, job) : [await job('control')];
    const failed = workflow.lost || results.some(({ status }) => status !== 0);
    endWorkflow(this.#double, repository, run, failed ? 'failure' : 'success');
  }

  async #run(
    workflow: Workflow,
    job: (command: string, worker?: number) => Promise<JobResult>,
  ): Promise<JobResult[]> {
    const plan = await job('plan');
    if (plan.status !== 0 || plan.outputs['proceed'] !== 'true') return [plan];
    const workers: unknown = JSON.parse(plan.outputs['workers'] ?? '[]');
    const numbers = Array.isArray(workers) ? workers.map(Number) : [];
    const worked = await Promise.all(numbers.map((number) => job('work', number)));
    return workflow.lost ? [plan, ...worked] : [plan, ...worked, await job('finish')];
  }

  async #job(workflow: Workflow, command: string, worker: number): Promise<JobResult> {
    const { repository, event, payload, run } = workflow;
    this.#number += 1;
    const file = (name: string): string => join(this.#folder, `${this.#number}-${name}`);
    const paths = { event: file('event.json'), output: file('output'), summary: file('summary') };
    const isDispatch = payload !== null;
    writeFileSync(
      paths.event,
      JSON.stringify(isDispatch ? { action: event, client_payload: payload } : { inputs: {} }),
    );
    for (const path of [paths.output, paths.summary]) writeFileSync(path, '');
    const child = spawn(process.execPath, [join(this.#bundle, 'main.mjs')], {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        ...this.#secrets,
        INPUT_COMMAND: command,
        'INPUT_APP-ID': String(APP.id),
        'INPUT_PRIVATE-KEY': PRIVATE_KEY,
        INPUT_WORKER: String(worker),
        GITHUB_REPOSITORY: `${repository.owner}/${repository.name}`,
        GITHUB_API_URL: this.#double.url,
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_RUN_ID: String(run.id),
        GITHUB_EVENT_NAME: isDispatch ? 'repository_dispatch' : event,
        GITHUB_EVENT_PATH: paths.event,
        GITHUB_OUTPUT: paths.output,
        GITHUB_STEP_SUMMARY: paths.summary,
        RUNNER_TEMP: this.#folder,
        SPROCKET_TEST_SPEED: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#living.set(child, workflow);
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    }
    await once(child, 'close');
    this.#living.delete(child);
    const result = {
      command,
      status: child.exitCode,
      log,
      outputs: outputsOf(readFileSync(paths.output, 'utf8')),
      summary: readFileSync(paths.summary, 'utf8'),
    };
    this.results.push(result);
    return result;
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

/** The file of outputs: `name<<delimiter`, lines, delimiter. */
function outputsOf(text: string): Record<string, string> {
  const found = text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gmu);
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]));
}
