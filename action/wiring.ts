/** Picks the adapters behind the ports for a job. */
import { getIDToken, setSecret, warning } from '@actions/core';
import { mintWithKey } from '../src/adapters/github/app-key.ts';
import { mintByServer } from '../src/adapters/github/app-server.ts';
import { connectAsApp } from '../src/adapters/github/client.ts';
import type { Transport } from '../src/adapters/github/client.ts';
import { openGitHub } from '../src/adapters/github/github.ts';
import { PRODUCTION_PERMISSIONS } from '../src/adapters/github/permissions.ts';
import type { Permissions } from '../src/adapters/github/permissions.ts';
import { openGitHubRepository } from '../src/adapters/github/repository.ts';
import type { Mint } from '../src/adapters/github/tokens.ts';
import { openMysqlSource } from '../src/adapters/mysql/move_source.ts';
import { connect } from '../src/adapters/postgres/connection.ts';
import { openLeadership } from '../src/adapters/postgres/leadership.ts';
import { openMetadata } from '../src/adapters/postgres/metadata.ts';
import { openPostgresSource } from '../src/adapters/postgres/move_source.ts';
import { systemClock } from '../src/adapters/system/clock.ts';
import type { RunTablesAt } from '../src/core/checkrun/job.ts';
import type { Plan } from '../src/core/plan/types.ts';
import type { DatabaseAddress } from '../src/ports/catalog.ts';
import type { GitHub, RepositoryName } from '../src/ports/github.ts';
import type { Leadership, Metadata } from '../src/ports/metadata.ts';
import type { RunRepository, StatusBranch } from '../src/ports/repository.ts';
import type { GitHubContext } from '../src/usecases/github-context.ts';
import { REPORT_INTERVAL } from '../src/usecases/github-report.ts';
import type { ActionCommand } from './inputs.ts';
import { COMMAND_PERMISSIONS } from './permissions.ts';
import { apiUrl, input, JobError, optionalInput, ownRepository } from './runner.ts';

export interface Job {
  readonly context: GitHubContext;
  readonly repository: RunRepository & StatusBranch;
}

export interface OpenedRepository {
  readonly github: GitHub;
  readonly repository: RunRepository & StatusBranch;
}

/** Connects to the migration repository as the App, with what the command needs there. */
export async function openJob(command: ActionCommand): Promise<Job> {
  const { github, repository } = await open(ownRepository(), COMMAND_PERMISSIONS[command]);
  return { context: { github, clock: systemClock }, repository };
}

/** Connects to another repository that the pull request goes to. */
export function openProduction(name: RepositoryName): Promise<OpenedRepository> {
  return open(name, PRODUCTION_PERMISSIONS);
}

async function open(name: RepositoryName, permissions: Permissions): Promise<OpenedRepository> {
  const quick = isQuick();
  const transport: Transport = {
    baseUrl: apiUrl(),
    throttle: !quick,
    second: quick ? 20 : 1_000,
    timeout: 30_000,
    onWarning: (message) => warning(message),
  };
  const connection = await connectAsApp(masked(mintOf(transport)), name, permissions, transport);
  return { github: openGitHub(connection), repository: openGitHubRepository(connection) };
}

function mintOf(transport: Transport): Mint {
  const url = optionalInput('app-url');
  if (url !== null) return mintByServer({ url, idToken, second: transport.second });
  if (optionalInput('app-id') === null && optionalInput('private-key') === null) {
    throw new JobError(
      'Nothing says as which App to act. Give app-url, or both app-id and private-key; a secret that is not there is empty.',
    );
  }
  const privateKey = input('private-key');
  setSecret(privateKey);
  return mintWithKey({ appId: input('app-id'), privateKey }, transport);
}

function idToken(audience: string): Promise<string> {
  if ((process.env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '') === '') {
    throw new JobError(
      'This job may not prove to the App what it is. Write "id-token: write" under its permissions, or use app-id and private-key in place of app-url.',
    );
  }
  return getIDToken(audience);
}

function masked(mint: Mint): Mint {
  return async (name, permissions) => {
    const minted = await mint(name, permissions);
    setSecret(minted.token);
    return minted;
  };
}

/** Milliseconds between two reports of a run. */
export function reportInterval(): number {
  return isQuick() ? QUICK_REPORTS : REPORT_INTERVAL;
}

const QUICK_REPORTS = 500;

/** In tests, against a GitHub that need not be waited for. */
function isQuick(): boolean {
  return process.env['SPROCKET_TEST_SPEED'] === '1';
}

/** The URL that a plan names by its variable. */
export function databaseAddress(variable: string): DatabaseAddress {
  const url = process.env[variable] ?? '';
  if (url === '') {
    throw new JobError(
      `${variable} is empty. Add a secret of that name, and pass it to the step under env.`,
    );
  }
  return { setting: variable, url };
}

/** The server that proofs run on: the plan's, else the one that the workflow brings; null where none is. */
export function sandboxUrl({ settings }: Plan): string | null {
  const url = process.env[settings.sandbox?.urlVariable ?? 'SANDBOX_DATABASE_URL'] ?? '';
  return url === '' ? null : url;
}

export function openPlanMetadata({ settings }: Plan): Promise<Metadata> {
  const { urlVariable, metadataSchema: schema } = settings.target;
  return openTables({ urlVariable, schema });
}

export function openTables({
  urlVariable,
  schema,
}: Pick<RunTablesAt, 'urlVariable' | 'schema'>): Promise<Metadata> {
  const address = databaseAddress(urlVariable);
  return openMetadata({ open: () => connect(address), schema, clock: systemClock });
}

/** Drops what a plan's source keeps for it; null where no pipeline is followed. */
export function releaseSource({ settings, pipelines }: Plan): (() => Promise<void>) | null {
  if (!pipelines.some(({ include, mode }) => include && mode === 'load + changes')) return null;
  return async () => {
    const { source, target } = settings;
    const open = source.dialect === 'postgres' ? openPostgresSource : openMysqlSource;
    const opened = open(databaseAddress(source.urlVariable).url, target.dialect);
    try {
      await opened.releaseChanges(settings.name);
    } finally {
      await opened.close();
    }
  };
}

/** One job of a run reports its progress. */
export async function openPlanLeadership({ settings }: Plan): Promise<Leadership> {
  const session = await connect(databaseAddress(settings.target.urlVariable));
  return openLeadership(session, settings.target.metadataSchema, settings.name);
}
