/** Starts the App: `npm start`. */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { openLog } from './log.ts';
import { OptionsError, readOptions, readSetupOptions } from './options.ts';
import type { AppOptions } from './options.ts';
import { startApp } from './server.ts';
import { ENV_FILE, startSetup } from './setup.ts';

try {
  loadEnv();
  const options = readOptions(process.env) ?? (await makeApp());
  await runApp(options);
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** What the environment says itself counts more. */
function loadEnv(): void {
  if (existsSync(ENV_FILE)) loadEnvFile(ENV_FILE);
}

/** Waits until a person has made the App in a browser. */
async function makeApp(): Promise<AppOptions> {
  const setup = await startSetup(readSetupOptions(process.env), openLog('info')).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new OptionsError(
        `No App can be made here: ${why}. Set APP_ID, PRIVATE_KEY and WEBHOOK_SECRET, or start where ${ENV_FILE} can be written.`,
      );
    },
  );
  await setup.made;
  await setup.stop();
  loadEnv();
  const options = readOptions(process.env);
  if (options === null) throw new OptionsError(`${ENV_FILE} holds no App.`);
  return options;
}

async function runApp(options: AppOptions): Promise<void> {
  const log = openLog(options.logLevel);
  const app = await startApp(options, log);
  log.info({ port: app.port }, 'takes webhooks');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      void app.stop().then(() => process.exit(0));
    });
  }
}
