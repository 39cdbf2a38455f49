/** Starts the App: `npm start`. */
import { openLog } from './log.ts';
import { OptionsError, readOptions } from './options.ts';
import { startApp, startSetup } from './server.ts';

try {
  const options = readOptions(process.env);
  if (options === null) {
    await startSetup();
  } else {
    const log = openLog(options.logLevel);
    const app = await startApp(options, log);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        log.info({ signal }, 'stopping');
        void app.stop().then(() => process.exit(0));
      });
    }
  }
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
