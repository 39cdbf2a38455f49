/** The HTTP server of the App: what each handler leaves goes to the next. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Probot } from 'probot';
import type { Logger } from 'pino';
import { z } from 'zod';
import { WEBHOOK_PATH } from './setup.ts';

/** Gives whether it answered. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** GitHub's own limit for a webhook. */
const MOST_BYTES = 25 * 1024 * 1024;

export interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function serve(
  handlers: readonly Handler[],
  address: { readonly host: string; readonly port: number },
  log: Logger,
): Promise<RunningServer> {
  const server = createServer((request, response) => {
    first(handlers, request, response).catch((error: unknown) => {
      log.error({ err: error, path: request.url }, 'not answered');
      if (response.headersSent) response.destroy();
      else reply(response, 500, { error: 'not answered' });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    stop: async () => {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeIdleConnections();
      await closed;
    },
  };
}

async function first(
  handlers: readonly Handler[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const handler of handlers) if (await handler(request, response)) return;
  reply(response, 404, { error: 'not found' });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export function healthHandler(waiting: () => number): Handler {
  return (request, response) => {
    if (pathOf(request) !== '/health') return Promise.resolve(false);
    reply(response, 200, { status: 'ok', waiting: waiting() });
    return Promise.resolve(true);
  };
}

/** Takes webhooks whose signature is right, as soon as they are read. */
export function webhookHandler(probot: Probot, log: Logger): Handler {
  return async (request, response) => {
    if (pathOf(request) !== WEBHOOK_PATH) return false;
    const started = performance.now();
    const refuse = (status: number, error: string): true => {
      log.warn({ status, error }, 'webhook refused');
      // What was not read of it would be taken for another request.
      if (!request.complete) response.setHeader('connection', 'close');
      reply(response, status, { error });
      return true;
    };
    if (request.method !== 'POST') return refuse(405, 'webhooks are posted');
    const [id, name, signature] = [
      header(request, 'x-github-delivery'),
      header(request, 'x-github-event'),
      header(request, 'x-hub-signature-256'),
    ];
    if (id === null || name === null || signature === null) {
      return refuse(400, 'a header of GitHub is missing: delivery, event or signature');
    }
    if (!/^application\/json\b/iu.test(header(request, 'content-type') ?? '')) {
      return refuse(415, 'the content type of the webhook must be application/json');
    }
    const payload = await readBody(request);
    if (payload === null) return refuse(413, 'larger than GitHub sends');
    if (!/^\s*\{/u.test(payload)) return refuse(400, 'the body is no JSON object');
    try {
      await probot.webhooks.verifyAndReceive({ id, name, payload, signature });
    } catch (error) {
      const status = statusOf(error);
      if (status >= 500) throw error;
      return refuse(status, 'the signature is wrong, or the body is no JSON');
    }
    const milliseconds = Math.round(performance.now() - started);
    log.info({ delivery: id, event: name, milliseconds }, 'heard');
    reply(response, 200, { taken: id });
    return true;
  };
}

function pathOf({ url }: IncomingMessage): string {
  return url?.split('?')[0] ?? '';
}

function header({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

const failedSchema = z.object({ errors: z.array(z.object({ status: z.number() })).min(1) });

function statusOf(error: unknown): number {
  return failedSchema.safeParse(error).data?.errors[0]?.status ?? 500;
}

/** Null where it is larger than any webhook; the rest is not read then. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MOST_BYTES) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
