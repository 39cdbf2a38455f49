/** Picks the adapters behind the ports for a job. */
import { setSecret, warning } from '@actions/core';
import { connectAsApp } from '../src/adapters/github/client.ts';
import type { AppIdentity } from '../src/adapters/github/client.ts';
import type { Connection } from '../src/adapters/github/call.ts';
import { openGitHub } from '../src/adapters/github/github.ts';
import { openGitHubRepository } from '../src/adapters/github/repository.ts';
import { connect } from '../src/adapters/postgres/connection.ts';
import { tryLock } from '../src/adapters/postgres/lock.ts';
import { openMetadata } from '../src/adapters/postgres/metadata.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import type { Plan } from '../src/core/plan/types.ts';
import type { DatabaseAddress } from '../src/ports/catalog.ts';
import type { GitHub, RepositoryName } from '../src/ports/github.ts';
import type { Metadata } from '../src/ports/metadata.ts';
import type { RunRepository } from '../src/ports/repository.ts';
import type { GitHubContext } from '../src/usecases/github-context.ts';
import { environment, input, JobError, repositoryName } from './runner.ts';

export interface Job {
  readonly context: GitHubContext;
  readonly repository: RunRepository;
}

export interface OpenedRepository {
  readonly github: GitHub;
  readonly repository: RunRepository;
}

/** Connects to the migration repository as the App. */
export async function openJob(): Promise<Job> {
  const { github, repository } = await openNamed(repositoryName());
  return { context: { github, clock: systemClock }, repository };
}

export async function openNamed(name: RepositoryName): Promise<OpenedRepository> {
  const connection: Connection = await connectAsApp(identity(), name);
  return { github: openGitHub(connection), repository: openGitHubRepository(connection) };
}

function identity(): AppIdentity {
  const privateKey = input('private-key');
  setSecret(privateKey);
  const quick = process.env['SPROCKET_TEST_SPEED'] === '1';
  return {
    appId: input('app-id'),
    privateKey,
    baseUrl: environment('GITHUB_API_URL'),
    throttle: !quick,
    second: quick ? 20 : 1_000,
    onWarning: (message) => warning(message),
  };
}

/** The URL that a plan names by its variable; masked, with its password alone too. */
export function databaseAddress(variable: string): DatabaseAddress {
  const url = process.env[variable] ?? '';
  if (url === '') {
    throw new JobError(
      `${variable} is empty. Add a secret of that name, and pass it to the step under env.`,
    );
  }
  return { setting: variable, url };
}

/** Hides every connection URL in the environment, and its password, from the log. */
export function maskUrls(variables: readonly string[]): void {
  for (const variable of variables) {
    const url = process.env[variable] ?? '';
    if (url === '') continue;
    setSecret(url);
    const password = URL.canParse(url) ? new URL(url).password : '';
    if (password === '') continue;
    setSecret(password);
    setSecret(decodeURIComponent(password));
  }
}

export function variablesOf({ settings }: Plan): readonly string[] {
  const { source, target, sandbox } = settings;
  return [
    source.urlVariable,
    target.urlVariable,
    ...(sandbox === null ? [] : [sandbox.urlVariable]),
  ];
}

export function openPlanMetadata({ settings }: Plan): Promise<Metadata> {
  const address = databaseAddress(settings.target.urlVariable);
  return openMetadata({
    open: () => connect(address),
    schema: settings.target.metadataSchema,
    clock: systemClock,
  });
}

export interface Leadership {
  /** Whether this job is the one that reports; tries to become it where nobody is. */
  holds(): Promise<boolean>;
  close(): Promise<void>;
}

/** One job of a run reports its progress: a lock that dies with its holder says which. */
export async function openLeadership({ settings }: Plan): Promise<Leadership> {
  const session = await connect(databaseAddress(settings.target.urlVariable));
  const name = `${settings.target.metadataSchema}/${settings.name}/report`;
  let held = false;
  return {
    async holds() {
      held ||= await tryLock(session, name);
      return held;
    },
    close: () => session.close(),
  };
}
