/** Tokens minted with the App's own key. */
import { createAppAuth } from '@octokit/auth-app';
import { GitHubError } from '../../ports/github.ts';
import { call } from './call.ts';
import { plainClient } from './client.ts';
import type { Transport } from './client.ts';
import { isStatus } from './errors.ts';
import { narrowed } from './permissions.ts';
import type { Mint } from './tokens.ts';

export interface AppKey {
  readonly appId: string;
  /** PEM; line breaks may be written as `\n`, as many secret stores do. */
  readonly privateKey: string;
}

export function mintWithKey({ appId, privateKey }: AppKey, transport: Transport): Mint {
  const id = Number(appId);
  if (!Number.isInteger(id) || id <= 0) {
    throw new GitHubError(
      'invalid',
      0,
      'app-id is no number.',
      'Give the App ID that the page of the App shows.',
    );
  }
  const asApp = plainClient(transport);
  const auth = createAppAuth({
    appId: id,
    privateKey: privateKey.replaceAll('\\n', '\n'),
    request: asApp.request,
  });
  asApp.hook.before('request', async (options) => {
    options.headers['authorization'] = `bearer ${await signed(auth)}`;
  });
  return async (name, permissions) => {
    const installation = await call(
      `find the App's installation on ${name.owner}/${name.repo}`,
      () => knownTo(() => asApp.request('GET /repos/{owner}/{repo}/installation', { ...name })),
    );
    const minted = await call('mint a token', () =>
      asApp.request('POST /app/installations/{installation_id}/access_tokens', {
        installation_id: Number(installation.id),
        repositories: [name.repo],
        // Never more than the installation has: asking for more is refused as a whole.
        permissions: narrowed(permissions, levels(installation.permissions)),
      }),
    );
    const app = { id, slug: installation.app_slug };
    return { token: minted.token, expiresAt: minted.expires_at, app };
  };
}

/** The first word with GitHub: a key that does not fit shows here. */
async function knownTo<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!isStatus(error, 401)) throw error;
    throw new GitHubError(
      'forbidden',
      401,
      "GitHub does not know this App by this key: app-id and private-key don't belong together, or the key was deleted.",
      'Make a new key on the page of the App, and write both secrets again.',
    );
  }
}

/** The App's word for itself, good for ten minutes. */
async function signed(auth: ReturnType<typeof createAppAuth>): Promise<string> {
  try {
    return (await auth({ type: 'app' })).token;
  } catch {
    // What the signer says quotes the key.
    throw new GitHubError(
      'invalid',
      0,
      'private-key is no private key (PEM).',
      'Paste the whole file that GitHub gave for the App, with its first and last line.',
    );
  }
}

function levels(permissions: object): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(permissions).filter(([, level]) => typeof level === 'string'),
  );
}
