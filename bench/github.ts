/**
 * What the App and the Action cost GitHub, and what webhooks cost the App: `npm run bench:github`;
 * `calls` or `webhooks` behind it measures one of them, `calls 1000` for so many procedures.
 *
 * The App is a process of its own, as are the jobs, which are the built bundle; GitHub is the double
 * of the tests. Only the engine is left out: its outcomes are written to the tables as it would.
 */
import { openScratchServer } from '../test/adapters/postgres/scratch-database.ts';
import { buildAction } from '../scripts/build-action.ts';
import { startBenchedApp } from './github/app.ts';
import { BUNDLE, measureCalls } from './github/calls.ts';
import { measureWebhooks } from './github/webhooks.ts';

const [what = 'all', ...sizes] = process.argv.slice(2);
const benched = await startBenchedApp();
try {
  if (what !== 'webhooks') {
    await buildAction(BUNDLE);
    const server = await openScratchServer();
    for (const size of sizes.length > 0 ? sizes.map(Number) : [10, 100, 1_000]) {
      await measureCalls(benched, server, size);
    }
    await server.close();
  }
  if (what !== 'calls') await measureWebhooks(benched);
} finally {
  await benched.stop();
}
