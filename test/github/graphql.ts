/** GraphQL, as far as Sprocket uses it: many files at once, and moving a branch under a condition. */
import { z } from 'zod';
import { recordPush } from './events.ts';
import { text } from './route.ts';
import type { Answer, Call } from './route.ts';
import { BOT, now } from './state.ts';
import type { RepositoryState } from './state.ts';

const bodySchema = z.object({
  query: z.string(),
  variables: z.object({ owner: z.string(), repo: z.string() }).catchall(z.string()),
});
/** Texts past it come cut. */
const WHOLE = 512_000;
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
  const covered = token.repositories === null || token.repositories.includes(repo);
  if (repository === undefined || !covered) {
    return refused('NOT_FOUND', `Could not resolve to a Repository with the name '${repo}'.`);
  }
  const objects = [...parsed.query.matchAll(OBJECT)];
  if (objects.length > 0 && token.permissions['contents'] === undefined) {
    return refused('FORBIDDEN', 'Resource not accessible by integration');
  }
  const found = objects.map(([, alias = '', oid, variable = '']) => {
    const [commit = '', path = ''] = (parsed.variables[variable] ?? '').split(/:(.*)/u);
    return [alias, blobAnswer(repository, oid ?? nameAt(repository, commit, path))];
  });
  const asksId = /\{ id\b/u.test(parsed.query);
  const answer = { ...(asksId ? { id: `R_${repository.id}` } : {}), ...Object.fromEntries(found) };
  return { status: 200, body: { data: { repository: answer } } };
}

const OBJECT = /(\w+): object\((?:oid: "([0-9a-f]{40})"|expression: \$(\w+))\)/gu;

function nameAt(repository: RepositoryState, commit: string, path: string): string | null {
  const ref = commit === 'HEAD' ? repository.defaultBranch : commit;
  const sha = repository.git.resolve(ref);
  return sha === null ? null : repository.git.blobOf(sha, path);
}

function blobAnswer({ git }: RepositoryState, oid: string | null) {
  if (oid === null) return null;
  // Of a folder come none of the fields of a file.
  if (git.attempt(['cat-file', '-t', oid]) !== 'blob') return {};
  const bytes = git.blob(oid);
  const text = bytes.includes(0) ? null : bytes.toString('utf8').slice(0, WHOLE);
  return { oid, isTruncated: bytes.length > WHOLE, text };
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
