/**
 * Gives jobs of the Sprocket workflow their installation tokens, so that no repository holds the
 * App's key. A job proves by its OIDC token where it runs; what it gets is for one repository.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Probot } from 'probot';
import { call, callOrNull } from '../src/adapters/github/call.ts';
import type { Client } from '../src/adapters/github/call.ts';
import { audienceOf, TOKEN_PATH, tokenRequest } from '../src/adapters/github/app-server.ts';
import type { TokenAnswer, TokenRefusal, TokenRequest } from '../src/adapters/github/app-server.ts';
import {
  MIGRATION_PERMISSIONS,
  narrowed,
  PRODUCTION_PERMISSIONS,
} from '../src/adapters/github/permissions.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import { WORKFLOW_PATH } from '../src/core/workflows/template.ts';
import { GitHubError } from '../src/ports/github.ts';
import type { RepositoryName } from '../src/ports/github.ts';
import { readSettings } from '../src/usecases/github-context.ts';
import type { AppOptions } from './options.ts';
import { jobVerifier, TokenRefused } from './workflow-identity.ts';
import type { WorkflowIdentity } from './workflow-identity.ts';
import { wire } from './wiring.ts';
import type { AppFacts } from './wiring.ts';

export interface TokenService {
  readonly probot: Probot;
  readonly app: AppFacts;
  readonly options: Pick<AppOptions, 'url' | 'oidcIssuer'>;
}

const EVENTS = ['repository_dispatch', 'schedule', 'workflow_dispatch'];
const BODY_BYTES = 4_096;

/** Answers `POST /token`; false for everything else. */
export function tokenHandler(service: TokenService) {
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

async function give(
  { probot, app }: TokenService,
  identity: WorkflowIdentity,
  asked: TokenRequest,
): Promise<TokenAnswer> {
  const own = nameOf(identity.repository);
  const wanted = nameOf(asked.repository);
  const asApp = await probot.auth();
  const source = await installationOf(asApp, own);
  const { context } = wire(await probot.auth(source.id), app, own);
  const facts = await context.github.repository();
  if (facts.id !== identity.repository_id) {
    throw new TokenRefused(
      403,
      `${identity.repository} is another repository now`,
      'Run the workflow again.',
    );
  }
  mustBeSprocket(identity, facts.defaultBranch);
  const isOwn = isSame(own, wanted);
  if (!isOwn) {
    const { plan: path } = await readSettings(context.github, facts);
    const file = await context.github.file(facts.defaultBranch, path);
    const plan = file === null ? null : parsePlan(file.text).plan;
    const named = plan?.settings.production.repository ?? null;
    if (named === null || !isSame(nameOf(named), wanted) || !isSameOwner(own, wanted)) {
      throw new TokenRefused(
        403,
        `${asked.repository} is not the production repository of ${path} on the default branch, or has another owner`,
        'Name it there as production.repository. For a repository of another owner give the Action app-id and private-key.',
      );
    }
  }
  const { id, permissions } = isOwn ? source : await installationOf(asApp, wanted);
  const most = isOwn ? MIGRATION_PERMISSIONS : PRODUCTION_PERMISSIONS;
  const minted = await call('mint a token', () =>
    asApp.request('POST /app/installations/{installation_id}/access_tokens', {
      installation_id: id,
      // The id that the job was vouched for; a name could be another's by now.
      ...(isOwn ? { repository_ids: [identity.repository_id] } : { repositories: [wanted.repo] }),
      permissions: narrowed(narrowed(asked.permissions, most), permissions),
    }),
  );
  return { token: minted.token, expires_at: minted.expires_at, app };
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
  if (found === null) {
    throw new TokenRefused(
      404,
      `the App is not installed on ${name.owner}/${name.repo}`,
      'Install it there, with access to this repository.',
    );
  }
  const permissions = Object.fromEntries(
    Object.entries(found.permissions).filter(([, level]) => typeof level === 'string'),
  );
  return { id: Number(found.id), permissions };
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
