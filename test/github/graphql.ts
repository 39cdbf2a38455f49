/** GraphQL, as far as Sprocket uses it: many blobs at once, and moving a branch under a condition. */
import { z } from 'zod';
import { recordPush } from './events.ts';
import { text } from './route.ts';
import type { Answer, Call } from './route.ts';
import { BOT, now } from './state.ts';

const bodySchema = z.object({
  query: z.string(),
  variables: z.object({ owner: z.string(), repo: z.string() }),
});
const updateSchema = z.object({
  variables: z.object({
    input: z.strictObject({
      repositoryId: z.string(),
      refUpdates: z
        .array(
          z.strictObject({
            name: z.string(),
            beforeOid: z.string().regex(/^[0-9a-f]{40}$/u),
            afterOid: z.string().regex(/^[0-9a-f]{40}$/u),
            force: z.boolean(),
          }),
        )
        .length(1),
    }),
  }),
});

interface GraphqlCall extends Pick<Call, 'world' | 'body' | 'emit'> {
  readonly header: string;
  readonly isProtected: (branch: string) => boolean;
}

export function graphql(call: GraphqlCall): Answer {
  const { world, header, body } = call;
  const token = world.tokens.get(header.replace(/^(?:bearer|token) /iu, ''));
  if (token === undefined || token.expires <= now(world)) {
    return { status: 401, body: { message: 'Bad credentials' } };
  }
  if (text(body['query']).startsWith('mutation ')) {
    return updateRefs(call, updateSchema.parse(body).variables.input);
  }
  const parsed = bodySchema.parse(body);
  const { owner, repo } = parsed.variables;
  const repository = world.repositories.get(`${owner}/${repo}`);
  if (repository === undefined) return refused('NOT_FOUND', 'no repository');
  if (!parsed.query.includes('object(')) {
    return { status: 200, body: { data: { repository: { id: `R_${repository.id}` } } } };
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

/** Moves a branch, also back, but only from where the caller saw it. */
function updateRefs(
  { world, emit, isProtected }: GraphqlCall,
  { repositoryId, refUpdates }: z.output<typeof updateSchema>['variables']['input'],
): Answer {
  const repository = [...world.repositories.values()].find(({ id }) => repositoryId === `R_${id}`);
  const [update] = refUpdates;
  if (repository === undefined || update === undefined) return refused('NOT_FOUND', 'no such');
  const { name, beforeOid, afterOid } = update;
  if (isProtected(name.replace('refs/heads/', ''))) return refused('FORBIDDEN', 'no force push');
  if (repository.git.attempt(['update-ref', name, afterOid, beforeOid]) === null) {
    return refused('UNPROCESSABLE', `${name} is not at ${beforeOid}`);
  }
  recordPush({ repository, emit }, name, beforeOid, afterOid, BOT);
  return { status: 200, body: { data: { updateRefs: { clientMutationId: null } } } };
}

function refused(type: string, message: string): Answer {
  return { status: 200, body: { errors: [{ type, message }] } };
}
