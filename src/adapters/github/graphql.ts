/** Many things of one repository in one request, which costs as much as one of REST. */
import { z } from 'zod';
import { call } from './call.ts';
import type { Connection } from './call.ts';

export interface RepositoryFields<T> {
  /** Fields of `Repository`, as GraphQL writes them. */
  readonly fields: string;
  /** What the fields answer. */
  readonly answer: z.ZodType<T>;
  /** Values of the variables `$name` in the fields, all of them texts that must be there. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A blob, wherever it is asked for. */
export const BLOB_FIELDS = '... on Blob { oid isTruncated text }';
/** Null where nothing is there; without fields where it is no blob. */
export const blobSchema = z
  .object({
    oid: z.string().optional(),
    isTruncated: z.boolean().optional(),
    /** Null where it is binary. */
    text: z.string().nullish(),
  })
  .nullable();

/** The whole text; null where GraphQL does not give it. */
export function wholeText(blob: z.output<typeof blobSchema>): string | null {
  return blob === null || blob.isTruncated === true ? null : (blob.text ?? null);
}

/** Asks for fields of the repository; `what` completes "GitHub: …" in the error. */
export async function askRepository<T>(
  { client, name }: Connection,
  what: string,
  { fields, answer, variables = {} }: RepositoryFields<T>,
): Promise<T> {
  const declared = ['owner', 'repo', ...Object.keys(variables)].map((each) => `$${each}: String!`);
  const query = `query (${declared.join(', ')}) { repository(owner: $owner, name: $repo) { ${fields} } }`;
  const data = await call(what, async () => ({
    data: await client.graphql(query, { ...name, ...variables }),
  }));
  return z.object({ repository: answer }).parse(data).repository;
}
