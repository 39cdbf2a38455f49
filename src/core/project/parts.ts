/** Walks over the parts of translated SQL. */
import type { Query, Sql, SqlPart, TranslatedModel } from '../translate/types.ts';

export type RelationPart = Extract<SqlPart, { readonly kind: 'relation' }>;

/** All parts, those inside branches too, in the order of the text. */
function* allParts(sql: Sql): Generator<SqlPart> {
  for (const part of sql) {
    yield part;
    if (part.kind !== 'branch') continue;
    for (const arm of part.arms) yield* allParts(arm.sql);
  }
}

function* queryParts(query: Query): Generator<SqlPart> {
  for (const cte of query.ctes) yield* allParts(cte.sql);
  yield* allParts(query.final);
}

export function relationParts(query: Query): RelationPart[] {
  return [...queryParts(query)].filter((part) => part.kind === 'relation');
}

/** The author's text of each statement of a query, with a space for each hole: to look for words. */
export function queryTexts(query: Query): readonly string[] {
  const statements = [...query.ctes.map(({ sql }) => sql), query.final];
  return statements.map((sql) =>
    [...allParts(sql)].map((part) => (part.kind === 'text' ? part.text : ' ')).join(''),
  );
}

/** The query that dbt runs for a model: its incremental form where that can be used. */
export function builtQuery(model: TranslatedModel, inChain: boolean): Query {
  return model.incremental !== null && !inChain ? model.incremental.query : model.query;
}
