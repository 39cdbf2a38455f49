/** At start and every hour: asks GitHub for what webhooks did not bring. */
import type { Probot, ProbotOctokit } from 'probot';
import { reconcile } from '../src/usecases/github-reconcile.ts';
import type { Intake } from './intake.ts';
import type { KeyedQueue } from './queue.ts';
import { wire } from './wiring.ts';
import type { AppFacts } from './wiring.ts';

interface ReconcileEnvironment {
  readonly app: AppFacts;
  readonly queue: KeyedQueue;
  readonly intake: Intake;
}

const HOUR = 3_600_000;
/** GitHub gives a delivery again within three days. */
const REDELIVERABLE = 72 * HOUR;
/** A process that dies has answered so long ago, at most, what it leaves undone. */
const DOUBTFUL = HOUR / 20;
/** Events, beside pushes, that the App does something about. */
const HEARD = new Set([
  'pull_request.opened',
  'pull_request.synchronize',
  'pull_request.reopened',
  'issue_comment.created',
  'check_run.requested_action',
  'check_run.rerequested',
  'issues.edited',
  'workflow_run.completed',
  'installation.created',
  'installation_repositories.added',
]);
const PAGE = 100;
const DELIVERY_PAGES = 50;
const PAGES = 5;

/** Looks at every repository of every installation once. */
export async function reconcileAll(
  probot: Probot,
  environment: ReconcileEnvironment,
): Promise<void> {
  const { app, queue, intake } = environment;
  const asApp = await probot.auth();
  await redeliver(asApp, intake, probot.log);
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
export function reconcileHourly(probot: Probot, environment: ReconcileEnvironment): () => void {
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

/**
 * GitHub never sends a webhook again by itself. Those that failed are asked for, and those of the last
 * minutes that another process answered: it may have died before it was done with them.
 */
async function redeliver(client: ProbotOctokit, intake: Intake, log: Probot['log']): Promise<void> {
  const seen = new Set<string>();
  for (const delivery of await deliveries(client)) {
    // Newest first: what went well later is not asked for again.
    if (seen.has(delivery.guid)) continue;
    seen.add(delivery.guid);
    if (intake.has(delivery.guid)) continue;
    const failed = delivery.status_code < 200 || delivery.status_code >= 400;
    const age = Date.now() - Date.parse(delivery.delivered_at);
    const isDoubtful = age < DOUBTFUL && isOurs(delivery);
    if (!failed && !isDoubtful && !intake.gaveUp(delivery.guid)) continue;
    log.info({ delivery: delivery.guid, event: delivery.event }, 'asked for again');
    await client.request('POST /app/hook/deliveries/{delivery_id}/attempts', {
      delivery_id: Number(delivery.id),
    });
  }
}

function isOurs({ event, action }: { readonly event: string; readonly action: string | null }) {
  return event === 'push' || HEARD.has(`${event}.${action ?? ''}`);
}

/** All that can still be asked for, newest first. */
async function deliveries(client: ProbotOctokit) {
  type Found = Awaited<ReturnType<typeof page>>['data'];
  const page = (cursor: string | null) =>
    client.request('GET /app/hook/deliveries', {
      per_page: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
  const found: Found = [];
  let cursor: string | null = null;
  for (let number = 0; number < DELIVERY_PAGES; number += 1) {
    const { data, headers }: Awaited<ReturnType<typeof page>> = await page(cursor);
    const recent = data.filter(
      ({ delivered_at: at }) => Date.now() - Date.parse(at) < REDELIVERABLE,
    );
    found.push(...recent);
    cursor = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/u.exec(headers.link ?? '')?.[1] ?? null;
    if (cursor === null || recent.length < data.length) break;
  }
  return found;
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
