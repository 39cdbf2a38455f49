/** The App, running against the double. */
import { createServer } from 'node:net';
import { openLog } from '../../app/log.ts';
import { startApp } from '../../app/server.ts';
import type { RunningApp } from '../../app/server.ts';
import { WEBHOOK_PATH } from '../../app/setup.ts';
import { PRIVATE_KEY } from '../github/auth.ts';
import { GitHubDouble } from '../github/double.ts';
import { APP, WEBHOOK_SECRET } from '../github/state.ts';

export interface Stage {
  readonly double: GitHubDouble;
  app: RunningApp;
  /** Lines of the App's log, as values. */
  readonly log: Record<string, unknown>[];
  restart(): Promise<void>;
  /** Waits until every webhook is answered and done. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const ACTION = `acme/sprocket@${'c'.repeat(40)}`;

/** Starts both; webhooks are sent at once. */
export async function startStage(
  options: { readonly metadataUrl?: string; readonly oidcIssuer?: string } = {},
): Promise<Stage> {
  const double = await GitHubDouble.start();
  const log: Record<string, unknown>[] = [];
  const start = async () => {
    const port = await freePort();
    return startApp(
      {
        appId: APP.id,
        privateKey: PRIVATE_KEY,
        secret: WEBHOOK_SECRET,
        host: '127.0.0.1',
        port,
        logLevel: 'info',
        baseUrl: double.url,
        url: `http://127.0.0.1:${port}`,
        oidcIssuer: options.oidcIssuer ?? 'https://oidc.test',
        action: ACTION,
        actionVersion: 'v1.0.0',
        metadataUrl: options.metadataUrl ?? null,
        throttle: false,
      },
      openLog('info', { write: (line: string) => log.push(JSON.parse(line)) }),
    );
  };
  const connect = (app: RunningApp): void => {
    double.webhookUrl = `http://127.0.0.1:${app.port}${WEBHOOK_PATH}`;
  };
  const stage: Stage = {
    double,
    log,
    app: await start(),
    async restart() {
      await stage.app.stop();
      stage.app = await start();
      connect(stage.app);
    },
    async settled() {
      // What the App does may come back to it as another webhook.
      do {
        await double.settled();
        await stage.app.idle();
      } while (double.sending > 0);
    },
    async close() {
      await stage.settled();
      await stage.app.stop();
      await double.stop();
    },
  };
  connect(stage.app);
  return stage;
}

/** The App says where it is reached before it listens. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}
