/**
 * Gives jobs of the Sprocket workflow their installation tokens, so that no repository holds the
 * App's key. A job proves by its OIDC token where it runs; what it gets is for one repository.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Probot } from 'probot';
import { callOrNull } from '../src/adapters/github/call.ts';
import type { Client } from '../src/adapters/github/call.ts';
import { audienceOf, TOKEN_PATH, tokenRequest } from '../src/adapters/github/app-server.ts';
import type { TokenAnswer, TokenRefusal, TokenRequest } from '../src/adapters/github/app-server.ts';
import {
  MIGRATION_PERMISSIONS,
  narrowed,
  PERMISSION_NAMES,
  PRODUCTION_PERMISSIONS,
} from '../src/adapters/github/permissions.ts';
import type { Permissions } from '../src/adapters/github/permissions.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import { WORKFLOW_PATH } from '../src/core/workflows/template.ts';
import { GitHubError } from '../src/ports/github.ts';
import type { RepositoryName } from '../src/ports/github.ts';
import { readPlans } from '../src/usecases/github-context.ts';
import type { AppOptions } from './options.ts';
import { jobVerifier, TokenRefused } from './workflow-identity.ts';
import type { WorkflowIdentity } from './workflow-identity.ts';
import { wire } from './wiring.ts';
import type { AppFacts } from './wiring.ts';

interface TokenService {
  readonly probot: Probot;
  readonly app: AppFacts;
  readonly options: Pick<AppOptions, 'url' | 'oidcIssuer'>;
  /** As they were seen last, by owner. */
  readonly installations: Map<string, Installation>;
}

const EVENTS = ['repository_dispatch', 'schedule', 'workflow_dispatch'];
const BODY_BYTES = 4_096;

/** Answers `POST /token`; false for everything else. */
export function tokenHandler(given: Omit<TokenService, 'installations'>) {
  const service: TokenService = { ...given, installations: new Map() };
  const { probot, options } = service;
  const verify =
    options.url === null ? null : jobVerifier(options.oidcIssuer, audienceOf(options.url));
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (request.url !== TOKEN_PATH || request.method !== 'POST') return false;
    try {
      if (verify === null) {
        throw new TokenRefused(
          404,
          'this App gives no tokens: APP_URL is not set there',
          'Set it to the address of the App, or give the Action app-id and private-key.',
        );
      }
      const bearer = /^Bearer (\S+)$/u.exec(request.headers.authorization ?? '')?.[1];
      if (bearer === undefined) {
        throw new TokenRefused(401, 'no OIDC token came', 'Send it as a Bearer token.');
      }
      const identity = await verify(bearer);
      const asked = await readRequest(request);
      const answer = await give(service, identity, asked);
      probot.log.info({ repository: asked.repository, for: identity.workflow_ref }, 'token given');
      reply(response, 200, answer);
    } catch (error) {
      const { status, ...refusal } = refusalOf(error);
      probot.log.warn({ err: error, status }, 'no token given');
      reply(response, status, refusal);
    }
    return true;
  };
}

/** An account has one installation: where it is known and grants enough, it is not asked for again. */
async function give(
  service: TokenService,
  identity: WorkflowIdentity,
  asked: TokenRequest,
): Promise<TokenAnswer> {
  const own = nameOf(identity.repository);
  const owner = own.owner.toLowerCase();
  const known = service.installations.get(owner);
  if (known !== undefined && grants(known, asked.permissions)) {
    try {
      return await giveBy(service, known, identity, asked);
    } catch {
      // It may be another one by now: nothing is refused by what was seen before.
    }
  }
  const found = await installationOf(await service.probot.auth(), own);
  service.installations.set(owner, found);
  return giveBy(service, found, identity, asked);
}

function grants({ permissions }: Installation, asked: Permissions): boolean {
  const given = narrowed(asked, permissions);
  return PERMISSION_NAMES.every((name) => given[name] === asked[name]);
}

async function giveBy(
  service: TokenService,
  installation: Installation,
  identity: WorkflowIdentity,
  asked: TokenRequest,
): Promise<TokenAnswer> {
  const own = nameOf(identity.repository);
  const wanted = nameOf(asked.repository);
  const asApp = await service.probot.auth();
  const isOwn = isSame(own, wanted);
  if (!isOwn) await mustBeProduction(service, installation, identity, wanted);
  const most = isOwn ? MIGRATION_PERMISSIONS : PRODUCTION_PERMISSIONS;
  const minted = await callOrNull(
    'mint a token',
    () =>
      asApp.request('POST /app/installations/{installation_id}/access_tokens', {
        installation_id: installation.id,
        // The id that the job was vouched for; a name could be another's by now.
        ...(isOwn ? { repository_ids: [identity.repository_id] } : { repositories: [wanted.repo] }),
        permissions: narrowed(narrowed(asked.permissions, most), installation.permissions),
      }),
    // The installation has all that is asked for: what it lacks is the repository.
    [422],
  );
  if (minted === null) throw isOwn ? anotherNow(identity) : notInstalled(wanted);
  if (isOwn) {
    const [found] = minted.repositories ?? [];
    mustBeOwn(identity, Number(found?.id), found?.default_branch ?? '');
  }
  return { token: minted.token, expires_at: minted.expires_at, app: service.app };
}

function mustBeOwn(identity: WorkflowIdentity, id: number, defaultBranch: string): void {
  if (id !== identity.repository_id) throw anotherNow(identity);
  mustBeSprocket(identity, defaultBranch);
}

function anotherNow({ repository }: WorkflowIdentity): TokenRefused {
  return new TokenRefused(
    403,
    `${repository} is another repository now`,
    'Run the workflow again.',
  );
}

async function mustBeProduction(
  { probot, app }: TokenService,
  installation: Installation,
  identity: WorkflowIdentity,
  wanted: RepositoryName,
): Promise<void> {
  const own = nameOf(identity.repository);
  const { github } = wire(await probot.auth(installation.id), app, own).context;
  const { id, defaultBranch } = await github.repository();
  mustBeOwn(identity, id, defaultBranch);
  const {
    path,
    files: [file = null],
  } = await readPlans(github, [defaultBranch]);
  const plan = file === null ? null : parsePlan(file.text).plan;
  const named = plan?.settings.production.repository ?? null;
  if (named === null || !isSame(nameOf(named), wanted) || !isSameOwner(own, wanted)) {
    throw new TokenRefused(
      403,
      `${wanted.owner}/${wanted.repo} is not the production repository of ${path} on the default branch, or has another owner`,
      'Name it there as production.repository. For a repository of another owner give the Action app-id and private-key.',
    );
  }
}

/** Who may push to any branch may start any workflow of it: only the one that was reviewed counts. */
function mustBeSprocket(identity: WorkflowIdentity, defaultBranch: string): void {
  const ref = `refs/heads/${defaultBranch}`;
  const workflow = `${identity.repository}/${WORKFLOW_PATH}@${ref}`;
  const isIt =
    identity.ref === ref &&
    identity.workflow_ref === workflow &&
    (identity.job_workflow_ref ?? workflow) === workflow &&
    EVENTS.includes(identity.event_name);
  if (isIt) return;
  throw new TokenRefused(
    403,
    `only ${WORKFLOW_PATH} on ${defaultBranch} gets tokens, by ${EVENTS.join(', ')}; this is ${identity.workflow_ref} by ${identity.event_name}`,
    'Merge the workflow to the default branch and run it there.',
  );
}

interface Installation {
  readonly id: number;
  readonly permissions: Readonly<Record<string, string | undefined>>;
}

async function installationOf(asApp: Client, name: RepositoryName): Promise<Installation> {
  const found = await callOrNull("find the App's installation", () =>
    asApp.request('GET /repos/{owner}/{repo}/installation', { ...name }),
  );
  if (found === null) throw notInstalled(name);
  const permissions = Object.fromEntries(
    Object.entries(found.permissions).filter(([, level]) => typeof level === 'string'),
  );
  return { id: Number(found.id), permissions };
}

function notInstalled({ owner, repo }: RepositoryName): TokenRefused {
  return new TokenRefused(
    404,
    `the App is not installed on ${owner}/${repo}`,
    'Install it there, with access to this repository.',
  );
}

async function readRequest(request: IncomingMessage): Promise<TokenRequest> {
  const wrong = new TokenRefused(400, 'the request is none of the Action', 'Update the Action.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_BYTES) throw wrong;
    chunks.push(bytes);
  }
  try {
    return tokenRequest.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch {
    throw wrong;
  }
}

function refusalOf(error: unknown): TokenRefusal & { readonly status: number } {
  if (error instanceof TokenRefused) {
    return { status: error.status, message: error.message, advice: error.advice };
  }
  if (
    error instanceof GitHubError &&
    error.code !== 'unavailable' &&
    error.code !== 'rate-limited'
  ) {
    return { status: 403, message: error.message, advice: error.advice };
  }
  return { status: 503, message: 'GitHub does not answer', advice: 'Try again in a while.' };
}

function reply(response: ServerResponse, status: number, body: TokenAnswer | TokenRefusal): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function nameOf(text: string): RepositoryName {
  const [owner = '', repo = ''] = text.split('/');
  return { owner, repo };
}

function isSame(a: RepositoryName, b: RepositoryName): boolean {
  return isSameOwner(a, b) && a.repo.toLowerCase() === b.repo.toLowerCase();
}

function isSameOwner(a: RepositoryName, b: RepositoryName): boolean {
  return a.owner.toLowerCase() === b.owner.toLowerCase();
}
