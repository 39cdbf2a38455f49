/** One step of a workflow: the built bundle in a process, with a runner's environment. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitHubDouble } from './double.ts';
import type { RepositoryState } from './state.ts';

export interface JobOptions {
  readonly bundle: string;
  readonly double: GitHubDouble;
  readonly repository: RepositoryState;
  /** Null: no such input. */
  readonly inputs: Readonly<Record<string, string | null>>;
  readonly event: { readonly name: string; readonly payload: Readonly<Record<string, unknown>> };
  /** Secrets, and what else `env:` gives. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface JobResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What people see: GitHub hides what it was told to hide. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

export interface RunningJob {
  readonly child: ChildProcess;
  /** What it wrote so far, not hidden. */
  said(): string;
  /** Its machine is gone, with all that it started, from one moment to the next. */
  lose(): void;
  readonly ended: Promise<JobResult>;
}

export function startJob(options: JobOptions): RunningJob {
  const { bundle, double, repository, inputs, event, environment } = options;
  const folder = mkdtempSync(join(tmpdir(), 'sprocket-job-'));
  const paths = { event: 'event.json', output: 'output', summary: 'summary' };
  const file = (name: keyof typeof paths): string => join(folder, paths[name]);
  writeFileSync(file('event'), JSON.stringify(event.payload));
  for (const name of ['output', 'summary'] as const) writeFileSync(file(name), '');
  const given = Object.entries(inputs).flatMap(([name, value]): [string, string][] =>
    value === null ? [] : [[`INPUT_${name.toUpperCase()}`, value]],
  );
  const child = spawn(process.execPath, [join(bundle, 'main.mjs')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      ...Object.fromEntries(given),
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: `${repository.owner}/${repository.name}`,
      GITHUB_API_URL: double.url,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_RUN_ID: '12345',
      GITHUB_EVENT_NAME: event.name,
      GITHUB_EVENT_PATH: file('event'),
      GITHUB_OUTPUT: file('output'),
      GITHUB_STEP_SUMMARY: file('summary'),
      RUNNER_TEMP: folder,
      SPROCKET_TEST_SPEED: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a machine has one.
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ending = async (): Promise<JobResult> => {
    await once(child, 'close');
    const result = {
      status: child.exitCode,
      signal: child.signalCode,
      log: masked(said),
      outputs: outputsOf(readFileSync(file('output'), 'utf8')),
      summary: readFileSync(file('summary'), 'utf8'),
    };
    rmSync(folder, { recursive: true, force: true });
    return result;
  };
  const lose = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  return { child, said: () => said, lose, ended: ending() };
}

export function runJob(options: JobOptions): Promise<JobResult> {
  return startJob(options).ended;
}

/** A log as GitHub shows it: what a command hides is starred in all that follows. */
function masked(log: string): string {
  const hidden: string[] = [];
  const lines = log.split('\n').flatMap((line) => {
    const secret = /^::add-mask::(.*)$/u.exec(line)?.[1];
    if (secret === undefined) {
      const shown = line.startsWith('::') ? decoded(line) : line;
      return [hidden.reduce((text, each) => text.replaceAll(each, '***'), shown)];
    }
    const whole = decoded(secret);
    hidden.push(...[whole, ...whole.split(/\r?\n/u)].filter((each) => each !== ''));
    hidden.sort((a, b) => b.length - a.length);
    return [];
  });
  return lines.join('\n');
}

/** Commands carry their text escaped. */
function decoded(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

/** The file of outputs: `name<<delimiter`, lines, delimiter. */
function outputsOf(text: string): Record<string, string> {
  const found = text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2$/gmu);
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]));
}
