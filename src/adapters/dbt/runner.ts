/** `DbtRunner` over whichever way of running dbt this machine has. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DbtError } from '../../ports/dbt.ts';
import type {
  BuildResult,
  DbtBuild,
  DbtProject,
  DbtRunner,
  DbtVersion,
  ParseResult,
} from '../../ports/dbt.ts';
import { commandVersions, runCommand } from './command.ts';
import { DbtDriver } from './driver.ts';
import { failureOf, serverFailureOf } from './failures.ts';
import { locateDbt } from './locate.ts';
import type { DbtLocation, DbtSearch } from './locate.ts';
import { cleanEnvironment, dbtEnvironment, PROFILE, writeProfile } from './profile.ts';
import { nodeResult } from './results.ts';
import type { DbtAnswer } from './results.ts';

/** The first version that knows `arguments:` of data tests, which rendered projects use. */
const OLDEST_VERSION = [1, 10, 5] as const;

type Backend =
  | { readonly kind: 'python'; readonly driver: DbtDriver; readonly version: DbtVersion }
  | { readonly kind: 'command'; readonly command: string; readonly version: DbtVersion };

/** Makes a runner. Nothing is started or written before its first call. */
export function createDbtRunner(search: DbtSearch): DbtRunner {
  return new Runner(search);
}

class Runner implements DbtRunner {
  readonly #search: DbtSearch;
  readonly #env: Record<string, string>;
  readonly #stop = new AbortController();
  #backend: Promise<Backend> | null = null;
  #folder: Promise<string> | null = null;
  /** The end of the last invocation: dbt has global state, so they go one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(search: DbtSearch) {
    this.#search = search;
    this.#env = cleanEnvironment(search.env);
  }

  async version(): Promise<DbtVersion> {
    return (await this.#ready()).version;
  }

  async parse(project: DbtProject): Promise<ParseResult> {
    const started = performance.now();
    const { answer } = await this.#invoke(project, 1, ['parse']);
    if (!answer.success) throw failureOf(answer);
    return { warnings: warningsOf(answer), seconds: secondsSince(started) };
  }

  async build(build: DbtBuild): Promise<BuildResult> {
    const started = performance.now();
    // dbt runs unit tests within `build` only together with their models.
    const testsOnly = build.resources !== undefined && !build.resources.includes('model');
    const args = [
      testsOnly ? 'test' : 'build',
      ...(build.select.length === 0 ? [] : ['--select', ...build.select]),
      ...(build.exclude?.length ? ['--exclude', ...build.exclude] : []),
      ...(build.resources ?? []).flatMap((resource) => ['--resource-type', resource]),
      ...(build.fullRefresh === true && !testsOnly ? ['--full-refresh'] : []),
    ];
    const { answer, projectDir } = await this.#invoke(build, build.threads, args);
    if (answer.results === null) {
      if (!answer.success) throw failureOf(answer);
      return { ok: true, nodes: [], warnings: warningsOf(answer), seconds: secondsSince(started) };
    }
    const nodes = answer.results.map((raw) => nodeResult(raw, projectDir));
    const gaveUp = serverFailureOf(nodes);
    if (gaveUp !== null) throw gaveUp;
    return {
      ok: answer.success,
      nodes,
      warnings: warningsOf(answer),
      seconds: secondsSince(started),
    };
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const backend = await this.#backend?.catch(() => null);
    if (backend?.kind === 'python') await backend.driver.stop();
    await this.#last.catch(() => undefined);
    if (this.#folder !== null) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #invoke(
    project: DbtProject,
    threads: number,
    args: readonly string[],
  ): Promise<{ readonly answer: DbtAnswer; readonly projectDir: string }> {
    const run = this.#last.then(
      () => this.#run(project, threads, args),
      () => this.#run(project, threads, args),
    );
    this.#last = run;
    return run;
  }

  async #run(project: DbtProject, threads: number, args: readonly string[]) {
    if (this.#stop.signal.aborted) throw closedError();
    const backend = await this.#ready();
    const projectDir = resolve(project.projectDir);
    const folder = await this.#projectFolder(projectDir, project.connection.database);
    await writeProfile(folder, project.connection, threads);
    const targetPath = join(folder, 'target');
    const request = {
      args: [
        ...args,
        ...optionArguments({
          'project-dir': projectDir,
          'profiles-dir': folder,
          profile: PROFILE,
          'target-path': targetPath,
          'log-path': join(folder, 'logs'),
          vars: JSON.stringify(project.vars),
        }),
        // Later generations of dbt print no colours into a pipe, and do not know the option.
        ...(backend.version.core.startsWith('1.') ? ['--no-use-colors'] : []),
      ],
      env: dbtEnvironment(project.connection),
      timeoutMs: project.timeoutMs ?? null,
    };
    const answer =
      backend.kind === 'python'
        ? await backend.driver.request({
            ...request,
            // The driver tells the results; artifacts and a log would only cost time.
            args: [...request.args, '--quiet', '--no-write-json', '--log-level-file', 'none'],
          })
        : await runCommand(
            backend.command,
            { ...request, targetPath, signal: this.#stop.signal },
            this.#env,
          );
    if (answer.interrupted) throw closedError();
    return { answer, projectDir };
  }

  /** A driver that has ended, after a timeout or a crash, is started anew. */
  async #ready(): Promise<Backend> {
    if (this.#stop.signal.aborted) throw closedError();
    const current = await this.#backend?.catch(() => null);
    if (!current || (current.kind === 'python' && !current.driver.alive)) {
      this.#backend = startBackend(await locateDbt(this.#search), this.#env);
    }
    return this.#backend ?? Promise.reject(closedError());
  }

  /**
   * A folder per project and database: what dbt remembers of its last parse holds for these only.
   */
  async #projectFolder(projectDir: string, database: string): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'sprocket-dbt-'));
    const key = createHash('sha256').update(`${projectDir}\0${database}`).digest('hex');
    return join(await this.#folder, key.slice(0, 16));
  }
}

async function startBackend(
  location: DbtLocation,
  env: Readonly<Record<string, string>>,
): Promise<Backend> {
  const driver = location.python === null ? null : await DbtDriver.start(location.python, env);
  if (driver !== null) {
    const version: DbtVersion = { ...driver.versions, mode: 'python' };
    const problem = versionProblem(version, location.command);
    if (problem === null) return { kind: 'python', driver, version };
    await driver.stop();
    throw problem;
  }
  const versions = await commandVersions(location.command, env);
  if (versions === null) {
    throw new DbtError(
      'missing',
      `${location.command} does not say which version of dbt it is`,
      'Check it with `dbt --version`, or install dbt anew: node scripts/setup.ts',
    );
  }
  const version: DbtVersion = { ...versions, mode: 'command' };
  const problem = versionProblem(version, location.command);
  if (problem !== null) throw problem;
  return { kind: 'command', command: location.command, version };
}

function versionProblem(version: DbtVersion, command: string): DbtError | null {
  const numbers = version.core.split(/[.-]/u).map((part) => Number.parseInt(part, 10) || 0);
  if (isOlder(numbers, OLDEST_VERSION)) {
    return new DbtError(
      'too-old',
      `${command} is dbt ${version.core}; ${OLDEST_VERSION.join('.')} or newer is needed`,
      'Upgrade it: pip install --upgrade "dbt-core~=1.11.0" dbt-postgres, or run `node scripts/setup.ts`.',
    );
  }
  if (version.postgres === null && (numbers[0] ?? 0) < 2) {
    return new DbtError(
      'no-adapter',
      `${command} has no adapter for PostgreSQL`,
      'Install it beside dbt: pip install dbt-postgres',
    );
  }
  return null;
}

function isOlder(version: readonly number[], oldest: readonly number[]): boolean {
  for (const [index, wanted] of oldest.entries()) {
    const found = version[index] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}

function optionArguments(options: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}

function warningsOf(answer: DbtAnswer): readonly string[] {
  return answer.events.filter(({ level }) => level === 'warn').map(({ message }) => message);
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

function closedError(): DbtError {
  return new DbtError('closed', 'dbt was stopped', 'Start the run again.');
}
