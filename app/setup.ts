/**
 * The first time: a page on which GitHub makes the App from `app.yml`. GitHub then sends the browser back
 * with a code, for which it gives the App's keys once; they go into a file that `npm start` reads.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { parse } from 'yaml';
import { z } from 'zod';

/** What `npm start` reads beside the environment. */
export const ENV_FILE = '.env';
export const WEBHOOK_PATH = '/api/github/webhooks';

export interface SetupOptions {
  readonly host: string;
  readonly port: number;
  /** Of GitHub's API. */
  readonly baseUrl: string;
  /** Where GitHub reaches this server; null: where the browser did. */
  readonly publicUrl: string | null;
  /** Account that gets the App; null: the person's own. */
  readonly organization: string | null;
  /** File that the keys are added to. */
  readonly envFile: string;
}

export interface RunningSetup {
  readonly port: number;
  /** Resolves when the App is made and its keys are written. */
  readonly made: Promise<void>;
  stop(): Promise<void>;
}

const manifestSchema = z.record(z.string(), z.unknown());
const madeSchema = z.object({
  id: z.number(),
  slug: z.string().optional(),
  html_url: z.string(),
  pem: z.string(),
  webhook_secret: z.string().nullable(),
});
type Made = z.output<typeof madeSchema>;

export async function startSetup(options: SetupOptions, log: Logger): Promise<RunningSetup> {
  // GitHub gives the keys once: there must be a place for them before.
  await appendFile(options.envFile, '', { mode: 0o600 });
  // Only who saw the page may bring a code: else anybody could put an App of theirs in its place.
  const state = randomBytes(16).toString('hex');
  const made = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'the App could not be made');
      send(
        response,
        500,
        page(
          '<p>That did not work: the log of the server says why. <a href="/">Try again</a>.</p>',
        ),
      );
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
    if (url.pathname === '/health') {
      send(response, 200, JSON.stringify({ status: 'setup' }), 'application/json');
    } else if (url.pathname === '/') {
      send(response, 200, formPage(options, options.publicUrl ?? url.origin, state));
    } else if (url.pathname !== '/setup') {
      send(response, 404, page('<p>There is nothing here. <a href="/">Begin</a>.</p>'));
    } else if (url.searchParams.get('state') !== state) {
      send(
        response,
        400,
        page('<p>This page was not opened from here. <a href="/">Begin again</a>.</p>'),
      );
    } else {
      const app = await convert(options, url.searchParams.get('code') ?? '');
      await writeKeys(options.envFile, app);
      log.info({ app: app.id, file: options.envFile }, 'the App is made');
      send(response, 200, donePage(app));
      made.resolve();
    }
  }

  await listen(server, options);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  log.info(`There is no App yet. Open http://localhost:${port} in a browser to make one.`);
  return {
    port,
    made: made.promise,
    stop: async () => {
      server.closeIdleConnections();
      await new Promise((resolve) => {
        server.close(resolve);
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      });
    },
  };
}

/** What GitHub makes the App from. */
function manifestFor(origin: string): Record<string, unknown> {
  const file = readFileSync(new URL('../app.yml', import.meta.url), 'utf8');
  return {
    ...manifestSchema.parse(parse(file)),
    url: origin,
    hook_attributes: { url: `${origin}${WEBHOOK_PATH}`, active: true },
    redirect_url: `${origin}/setup`,
  };
}

function formPage({ baseUrl, organization }: SetupOptions, origin: string, state: string): string {
  const owner = organization === null ? '' : `/organizations/${encodeURIComponent(organization)}`;
  const action = `${webUrl(baseUrl)}${owner}/settings/apps/new?state=${state}`;
  const manifest = JSON.stringify(manifestFor(origin));
  return page(
    [
      '<p>GitHub makes the App with the permissions that Sprocket needs, and sends you back here.</p>',
      `<p>GitHub will send its webhooks to <code>${escaped(origin)}</code>. It must be able to reach that address: where it can't, set <code>APP_URL</code> and start again.</p>`,
      `<form action="${escaped(action)}" method="post"><input type="hidden" name="manifest" value="${escaped(manifest)}"><button>Make the App</button></form>`,
    ].join('\n'),
  );
}

function donePage({ html_url: url }: Made): string {
  return page(
    [
      `<p>The App is made, and its keys are in <code>${ENV_FILE}</code> beside the server. Keep that file to yourself.</p>`,
      `<p><a href="${escaped(url)}/installations/new">Install it on your repositories</a>. The server takes webhooks from now on.</p>`,
    ].join('\n'),
  );
}

function page(body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sprocket</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style><h1>Sprocket</h1>\n${body}\n</html>\n`;
}

function send(response: ServerResponse, status: number, body: string, type = 'text/html'): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  });
  response.end(body);
}

/** A code holds once, for an hour. */
async function convert({ baseUrl }: SetupOptions, code: string): Promise<Made> {
  const response = await fetch(`${baseUrl}/app-manifests/${encodeURIComponent(code)}/conversions`, {
    method: 'POST',
    headers: { accept: 'application/vnd.github+json', 'user-agent': 'sprocket' },
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw new Error(`GitHub does not take the code (${response.status}).`);
  return madeSchema.parse(await response.json());
}

async function writeKeys(file: string, { id, pem, webhook_secret: secret }: Made): Promise<void> {
  if (secret === null) throw new Error('GitHub gave no webhook secret.');
  const key = pem.trim().replaceAll(/\r?\n/gu, String.raw`\n`);
  const lines = [`APP_ID=${id}`, `PRIVATE_KEY="${key}"`, `WEBHOOK_SECRET="${secret}"`];
  await appendFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}

/** Where people see GitHub: api.github.com is another host, a server of one's own has a path. */
function webUrl(baseUrl: string): string {
  return baseUrl.replace('//api.github.com', '//github.com').replace(/\/api\/v3\/?$/u, '');
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);
}

function listen(server: Server, { host, port }: SetupOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
