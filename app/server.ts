/** The App as it runs: webhooks in, and the hourly look for what they did not tell. */
import { Probot, ProbotOctokit } from 'probot';
import type { Logger } from 'pino';
import { registerHandlers } from './app.ts';
import { REPORT_INTERVAL } from '../src/usecases/github-report.ts';
import { healthHandler, serve, webhookHandler } from './http.ts';
import { Intake } from './intake.ts';
import { OptionsError } from './options.ts';
import type { AppOptions } from './options.ts';
import { KeyedQueue } from './queue.ts';
import { tokenHandler } from './token.ts';
import { reconcileAll, reconcileHourly } from './reconcile.ts';
import type { AppFacts } from './wiring.ts';

export interface RunningApp {
  readonly port: number;
  /** Looks for what was missed, now. */
  reconcile(): Promise<void>;
  /** Resolves when everything that was heard is done. */
  idle(): Promise<void>;
  /** Does what was taken, then ends. */
  stop(): Promise<void>;
}

/** Starts to listen, then looks for what was missed meanwhile. */
export async function startApp(options: AppOptions, log: Logger): Promise<RunningApp> {
  const Octokit = options.throttle
    ? ProbotOctokit
    : ProbotOctokit.defaults((given: object) => ({
        ...given,
        throttle: { enabled: false },
        retry: { enabled: false },
      }));
  const probot = new Probot({
    appId: options.appId,
    privateKey: options.privateKey,
    secret: options.secret,
    baseUrl: options.baseUrl,
    log,
    Octokit,
  });
  await probot.ready();
  const app: AppFacts = {
    id: options.appId,
    slug: await slugOf(probot, options),
    metadataUrl: options.metadataUrl,
    reportInterval: options.throttle ? REPORT_INTERVAL : 20,
  };
  const queue = new KeyedQueue();
  const intake = new Intake({ queue, log, second: options.throttle ? 1_000 : 20 });
  registerHandlers(probot, { app, intake, options });
  const handlers = [
    healthHandler(() => queue.size),
    webhookHandler(probot, log),
    tokenHandler({ probot, app, options }),
  ];
  const server = await serve(handlers, options, log);
  const environment = { app, queue, intake };
  const stopReconcile = reconcileHourly(probot, environment);
  return {
    port: server.port,
    idle: () => queue.idle(),
    reconcile: () => reconcileAll(probot, environment),
    stop: async () => {
      stopReconcile();
      await intake.stop();
      await server.stop();
    },
  };
}

/** The first word with GitHub: a key that does not fit shows here. */
async function slugOf(probot: Probot, { appId, baseUrl }: AppOptions): Promise<string> {
  try {
    const { data } = await (await probot.auth()).request('GET /app');
    return data?.slug ?? '';
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new OptionsError(
      `GitHub (${baseUrl}) does not know App ${appId} by this key: ${why}. Check APP_ID, PRIVATE_KEY and GITHUB_API_URL.`,
    );
  }
}
