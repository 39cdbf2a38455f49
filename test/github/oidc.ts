/** The issuer of jobs' OIDC tokens: its public keys, and the address at which a job asks for one. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface JobClaims {
  readonly repository: string;
  readonly repository_id: string;
  readonly ref: string;
  readonly event_name: string;
  readonly workflow_ref: string;
  readonly job_workflow_ref?: string;
}

export interface OidcIssuer {
  readonly url: string;
  /** Signs as GitHub does; `by` names other keys than the issuer's. */
  sign(
    claims: JobClaims,
    audience: string,
    change?: { readonly issuer?: string; readonly age?: number; readonly by?: 'stranger' },
  ): Promise<string>;
  /** What the runner puts into a job's environment where it may ask for a token. */
  environment(claims: JobClaims): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Seconds that a token holds. */
const LIFE = 300;
const REQUEST_TOKEN = 'the job may ask';

/** What the job of a workflow that is on the default branch is. */
export function claimsOf(
  repository: { readonly owner: string; readonly name: string; readonly id: number },
  event = 'repository_dispatch',
): JobClaims {
  const name = `${repository.owner}/${repository.name}`;
  const workflow = `${name}/.github/workflows/sprocket.yml@refs/heads/main`;
  return {
    repository: name,
    repository_id: String(repository.id),
    ref: 'refs/heads/main',
    event_name: event,
    workflow_ref: workflow,
    job_workflow_ref: workflow,
  };
}

export async function startIssuer(): Promise<OidcIssuer> {
  const [own, stranger] = [await generateKeyPair('RS256'), await generateKeyPair('RS256')];
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'one', use: 'sig', alg: 'RS256' };
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const url = `http://127.0.0.1:${address.port}`;

  const sign: OidcIssuer['sign'] = (claims, audience, change = {}) => {
    const at = Math.floor(Date.now() / 1_000) - (change.age ?? 0);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(change.issuer ?? url)
      .setAudience(audience)
      .setIssuedAt(at)
      .setExpirationTime(at + LIFE)
      .sign(change.by === 'stranger' ? stranger.privateKey : own.privateKey);
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const body =
      pathname === '/.well-known/jwks'
        ? { keys: [jwk] }
        : {
            value: await sign(
              JSON.parse(searchParams.get('job') ?? '{}'),
              searchParams.get('audience') ?? '',
            ),
          };
    const refused =
      pathname === '/request' && request.headers.authorization !== `Bearer ${REQUEST_TOKEN}`;
    response.writeHead(refused ? 401 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  return {
    url,
    sign,
    environment: (claims) => ({
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/request?job=${encodeURIComponent(JSON.stringify(claims))}`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
