/** The HTTP server: webhooks, `/health`, and the making of the App in a browser where there is none. */
import { Probot, ProbotOctokit, run, Server } from 'probot';
import type { Logger } from 'pino';
import { registerHandlers } from './app.ts';
import type { AppEnvironment } from './app.ts';
import type { AppOptions } from './options.ts';
import { KeyedQueue } from './queue.ts';
import { tokenHandler } from './token.ts';
import { reconcileAll, reconcileHourly } from './reconcile.ts';

export interface RunningApp {
  readonly port: number;
  /** Looks for what was missed, now. */
  reconcile(): Promise<void>;
  stop(): Promise<void>;
}

export const WEBHOOK_PATH = '/api/github/webhooks';

/** Starts to listen, then looks for what was missed meanwhile. */
export async function startApp(options: AppOptions, log: Logger): Promise<RunningApp> {
  const Octokit = options.throttle
    ? ProbotOctokit
    : ProbotOctokit.defaults((given: object) => ({
        ...given,
        throttle: { enabled: false },
        retry: { enabled: false },
      }));
  const server = new Server({
    host: options.host,
    port: options.port,
    log,
    webhookPath: WEBHOOK_PATH,
    enableStaticFiles: false,
    Probot: Probot.defaults({
      appId: options.appId,
      privateKey: options.privateKey,
      secret: options.secret,
      baseUrl: options.baseUrl,
      log,
      Octokit,
    }),
  });
  const started: { stop: () => void; reconcile: () => Promise<void> }[] = [];
  await server.load(async (probot, { addHandler }) => {
    const client = await probot.auth();
    const { data } = await client.request('GET /app');
    const environment: AppEnvironment = {
      app: { id: options.appId, slug: data?.slug ?? '' },
      queue: new KeyedQueue(),
      options,
    };
    registerHandlers(probot, environment);
    addHandler(tokenHandler({ probot, app: environment.app, options }));
    addHandler((request, response) => {
      if (request.url !== '/health') return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ status: 'ok', busy: environment.queue.size }));
      return true;
    });
    started.push({
      stop: reconcileHourly(probot, environment),
      reconcile: () => reconcileAll(probot, environment),
    });
  });
  await server.start();
  return {
    port: server.port,
    reconcile: async () => {
      for (const each of started) await each.reconcile();
    },
    stop: async () => {
      for (const each of started) each.stop();
      await server.stop();
    },
  };
}

/** Without an App: the page on which GitHub makes one from `app.yml`, and writes its keys to `.env`. */
export async function startSetup(): Promise<void> {
  await run(() => undefined);
}
