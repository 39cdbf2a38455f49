/** GraphQL, as far as Sprocket uses it: the contents of many blobs at once. */
import { z } from 'zod';
import type { Answer } from './route.ts';
import { now } from './state.ts';
import type { World } from './state.ts';

const bodySchema = z.object({
  query: z.string(),
  variables: z.object({ owner: z.string(), repo: z.string() }),
});

export function graphql(world: World, header: string, body: Record<string, unknown>): Answer {
  const token = world.tokens.get(header.replace(/^(?:bearer|token) /iu, ''));
  if (token === undefined || token.expires <= now(world)) {
    return { status: 401, body: { message: 'Bad credentials' } };
  }
  const parsed = bodySchema.parse(body);
  const { owner, repo } = parsed.variables;
  const repository = world.repositories.get(`${owner}/${repo}`);
  if (repository === undefined) {
    return { status: 200, body: { errors: [{ type: 'NOT_FOUND', message: 'no repository' }] } };
  }
  const objects = [...parsed.query.matchAll(/(b\d+): object\(oid: "([0-9a-f]{40})"\)/gu)];
  const found = objects.map(([, alias = '', oid = '']) => {
    const bytes = repository.git.blob(oid);
    const isBinary = bytes.includes(0);
    return [
      alias,
      { isBinary, isTruncated: false, text: isBinary ? null : bytes.toString('utf8') },
    ];
  });
  return { status: 200, body: { data: { repository: Object.fromEntries(found) } } };
}
