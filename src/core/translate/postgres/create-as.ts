/** Binds tables made from a query: CREATE TABLE AS and SELECT … INTO. */
import type { BoundStatement } from '../bound.ts';
import { text } from '../fragment.ts';
import type { CreateTableAsStmt, RangeVar, SelectStmt } from 'libpg-query';
import { findClauses } from './clauses.ts';
import { onCommit } from './create.ts';
import { bindQuery } from './query.ts';
import { names, relationName } from './tree.ts';
import { refuse } from '../refusals.ts';
import { common } from './write-context.ts';
import type { WriteContext } from './write-context.ts';

/** `SELECT … INTO table`: the same as CREATE TABLE AS. */
export function bindSelectInto(
  select: SelectStmt,
  relation: RangeVar,
  context: WriteContext,
  start: number,
): BoundStatement {
  const { source } = context;
  const name = relationName(relation);
  const at = source.index(relation.location);
  const into = source.tokens.findLast(
    (token) => token.start < at && token.text.toUpperCase() === 'INTO',
  );
  source.edit(into?.start ?? at, source.endOfName(at, name.schema === null ? 1 : 2), text(''));
  const { intoClause: _into, ...query } = select;
  return {
    ...common(context),
    kind: 'create-as',
    table: {
      name: { schema: name.schema ?? '', name: name.name },
      temporary: relation.relpersistence === 't',
      alias: name.name,
    },
    query: bindQuery(query, context, start, undefined),
    head: null,
    withData: true,
    onlyIfMissing: false,
  };
}

export function bindCreateAs(statement: CreateTableAsStmt, context: WriteContext): BoundStatement {
  const { source } = context;
  const relation = statement.into?.rel ?? {};
  const name = relationName(relation);
  const query = statement.query;
  const at = common(context);
  if (!query || !('SelectStmt' in query) || statement.objtype !== 'OBJECT_TABLE') {
    refuse('statement', at.place, 'CREATE … AS without a query over tables.');
  }
  const [as] = findClauses(source, source.tokenAt(source.index(relation.location)), ['AS']);
  const [data] = findClauses(source, (as?.token ?? 0) + 1, ['WITH DATA', 'WITH NO DATA']);
  const start = source.tokens[(as?.token ?? 0) + 1]?.start ?? 0;
  const head = names(statement.into?.colNames);
  return {
    ...at,
    kind: 'create-as',
    table: {
      name: { schema: name.schema ?? '', name: name.name },
      temporary: relation.relpersistence === 't',
      alias: name.name,
      ...onCommit(statement.into?.onCommit),
    },
    query: bindQuery(query.SelectStmt, context, start, data?.token),
    head: head.length > 0 ? head : null,
    withData: statement.into?.skipData !== true,
    onlyIfMissing: statement.if_not_exists === true,
  };
}
