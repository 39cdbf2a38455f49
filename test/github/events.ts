/** Payloads of webhooks: GitHub's recorded ones with the double's state laid over. */
import { createRequire } from 'node:module';
import { z } from 'zod';
import type { Call } from './route.ts';
import { repositoryShape, userShape } from './shapes.ts';
import { APP } from './state.ts';
import type { RepositoryState } from './state.ts';

const examplesSchema = z.array(
  z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }),
);

let examples: z.output<typeof examplesSchema> | null = null;

/** Every recorded payload, by event. */
export function recordedPayloads(): z.output<typeof examplesSchema> {
  examples ??= examplesSchema.parse(
    createRequire(import.meta.url)('@octokit/webhooks-examples/api.github.com/index.json'),
  );
  return examples;
}

/** A payload of an event, with the repository, sender and installation of the double. */
export function payloadOf(
  event: string,
  action: string | null,
  repository: RepositoryState,
  sender: string,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  const found = recordedPayloads().find(({ name }) => name === event)?.examples ?? [];
  const base = found.find((each) => action === null || each['action'] === action) ?? {};
  return {
    ...structuredClone(base),
    ...(action === null ? {} : { action }),
    repository: repositoryShape(repository),
    sender: userShape(sender),
    installation: { id: APP.installation, node_id: 'x' },
    ...changes,
  };
}

/** Says that a branch moved, to the App. */
export function recordPush(
  call: Pick<Call, 'repository' | 'emit'>,
  ref: string,
  before: string,
  after: string,
  sender: string,
): void {
  const { repository, emit } = call;
  emit(
    'push',
    payloadOf('push', null, repository, sender, {
      ref,
      before,
      after,
      created: /^0+$/u.test(before),
      deleted: /^0+$/u.test(after),
      // As good as empty: nobody may rely on the lists in it.
      commits: [],
      head_commit: null,
      pusher: { name: sender, email: null },
    }),
  );
}
