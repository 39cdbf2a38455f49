/** Tokens minted with the App's own key. */
import { createAppAuth } from '@octokit/auth-app';
import { GitHubError } from '../../ports/github.ts';
import { call } from './call.ts';
import { plainClient } from './client.ts';
import type { Transport } from './client.ts';
import { isStatus } from './errors.ts';
import { narrowed } from './permissions.ts';
import type { Mint, Minted } from './tokens.ts';

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
  let known: Promise<Minted['app']> | null = null;
  const readApp = async (): Promise<Minted['app']> => {
    try {
      const { data } = await asApp.request('GET /app');
      return { id, slug: data?.slug ?? '' };
    } catch (error) {
      if (!isStatus(error, 401)) return call('read the App', () => Promise.reject(error));
      throw new GitHubError(
        'forbidden',
        401,
        "GitHub does not know this App by this key: app-id and private-key don't belong together, or the key was deleted.",
        'Make a new key on the page of the App, and write both secrets again.',
      );
    }
  };
  return async (name, permissions) => {
    known ??= readApp();
    const app = await known;
    const installation = await call(
      `find the App's installation on ${name.owner}/${name.repo}`,
      () => asApp.request('GET /repos/{owner}/{repo}/installation', { ...name }),
    );
    const minted = await call('mint a token', () =>
      asApp.request('POST /app/installations/{installation_id}/access_tokens', {
        installation_id: Number(installation.id),
        repositories: [name.repo],
        // Never more than the installation has: asking for more is refused as a whole.
        permissions: narrowed(permissions, levels(installation.permissions)),
      }),
    );
    return { token: minted.token, expiresAt: minted.expires_at, app };
  };
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
