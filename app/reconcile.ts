/** At start and every hour: asks GitHub for what webhooks did not bring. */
import type { Probot, ProbotOctokit } from 'probot';
import { reconcile } from '../src/usecases/github-reconcile.ts';
import type { AppEnvironment } from './app.ts';
import { wire } from './wiring.ts';

const HOUR = 3_600_000;
/** GitHub gives a delivery again within three days. */
const REDELIVERABLE = 72 * HOUR;
const PAGE = 100;
const PAGES = 5;

/** Looks at every repository of every installation once. */
export async function reconcileAll(probot: Probot, environment: AppEnvironment): Promise<void> {
  const { app, queue } = environment;
  const asApp = await probot.auth();
  await redeliverFailed(asApp, probot);
  for (const installation of await installations(asApp)) {
    const client = await probot.auth(installation);
    for (const name of await repositories(client)) {
      const key = `${name.owner}/${name.repo}`;
      try {
        const found = await queue.run(key, () => reconcile(wire(client, app, name).context));
        probot.log.info({ repository: key, ...found }, 'reconciled');
      } catch (error) {
        // One repository that can't be read must not keep the others from being looked at.
        probot.log.error({ repository: key, err: error }, 'could not reconcile');
      }
    }
  }
}

/** Starts the hourly look; gives what ends it. */
export function reconcileHourly(probot: Probot, environment: AppEnvironment): () => void {
  const look = (): void => {
    reconcileAll(probot, environment).catch((error: unknown) => {
      probot.log.error({ err: error }, 'could not reconcile');
    });
  };
  look();
  const timer = setInterval(look, HOUR);
  timer.unref();
  return () => clearInterval(timer);
}

/** GitHub never sends a webhook again by itself. */
async function redeliverFailed(client: ProbotOctokit, probot: Probot): Promise<void> {
  const seen = new Set<string>();
  for (const delivery of await deliveries(client)) {
    // Newest first: what went well later is not asked for again.
    if (seen.has(delivery.guid)) continue;
    seen.add(delivery.guid);
    const recent = Date.now() - Date.parse(delivery.delivered_at) < REDELIVERABLE;
    if (!recent || (delivery.status_code >= 200 && delivery.status_code < 400)) continue;
    probot.log.info({ delivery: delivery.guid, event: delivery.event }, 'asked for again');
    await client.request('POST /app/hook/deliveries/{delivery_id}/attempts', {
      delivery_id: Number(delivery.id),
    });
  }
}

async function deliveries(client: ProbotOctokit) {
  const { data } = await client.request('GET /app/hook/deliveries', { per_page: PAGE });
  return data;
}

async function installations(client: ProbotOctokit): Promise<readonly number[]> {
  const ids: number[] = [];
  for (let page = 1; page <= PAGES; page += 1) {
    const { data } = await client.request('GET /app/installations', { per_page: PAGE, page });
    ids.push(
      ...data
        .filter((each) => each.suspended_at === null || each.suspended_at === undefined)
        .map(({ id }) => Number(id)),
    );
    if (data.length < PAGE) break;
  }
  return ids;
}

async function repositories(client: ProbotOctokit) {
  const names: { readonly owner: string; readonly repo: string }[] = [];
  for (let page = 1; page <= PAGES; page += 1) {
    const { data } = await client.request('GET /installation/repositories', {
      per_page: PAGE,
      page,
    });
    names.push(...data.repositories.map(({ name, owner }) => ({ owner: owner.login, repo: name })));
    if (data.repositories.length < PAGE) break;
  }
  return names;
}
