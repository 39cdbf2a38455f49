/** Who calls, and what they may do. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { z } from 'zod';
import { Refusal } from './route.ts';
import type { Route } from './route.ts';
import { APP, now } from './state.ts';
import type { RepositoryState, World } from './state.ts';

const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});

/** The App's private key, made anew for each process. */
export const PRIVATE_KEY = pair.privateKey;
const publicKey = createPublicKey(pair.publicKey);

const claimsSchema = z.object({
  iat: z.number(),
  exp: z.number(),
  iss: z.union([z.string(), z.number()]),
});

export function authorize(
  world: World,
  route: Route,
  header: string,
  repository: RepositoryState | null,
): void {
  if (route.needs === 'nobody') return;
  const token = header.replace(/^(?:bearer|token) /iu, '');
  if (token === '') throw new Refusal(401, 'Requires authentication');
  if (route.needs === 'app') {
    checkJwt(world, token);
    return;
  }
  const known = world.tokens.get(token);
  if (known === undefined || known.expires <= now(world)) throw new Refusal(401, 'Bad credentials');
  const { repositories, permissions } = known;
  if (repository !== null && repositories !== null && !repositories.includes(repository.name)) {
    throw new Refusal(404, 'Not Found');
  }
  const [name, level] = route.needs;
  const has = name === 'metadata' ? 'read' : permissions[name];
  if (has === undefined || (level === 'write' && has !== 'write')) {
    throw new Refusal(403, `Resource not accessible by integration (needs ${name}: ${level})`);
  }
}

function checkJwt(world: World, token: string): void {
  const [head = '', body = '', signature = ''] = token.split('.');
  const genuine = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${body}`),
    publicKey,
    Buffer.from(signature, 'base64url'),
  );
  if (!genuine) throw new Refusal(401, 'A JSON web token could not be decoded');
  const claims = claimsSchema.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
  const seconds = now(world) / 1000;
  if (claims.exp < seconds || claims.exp > claims.iat + 660 || Number(claims.iss) !== APP.id) {
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  }
}
