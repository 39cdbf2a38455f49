/** DELETE and TRUNCATE: the rows for which the condition does not hold, NULL counting as not. */
import type { BoundDelete, BoundStatement } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { from, sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { RuleContext, WriteResult } from './context.ts';
import { tableVersion } from './context.ts';
import { returnedBeside } from './returning.ts';
import { shown, withComments } from './rows.ts';

export function deleteRows(statement: BoundDelete, context: RuleContext): WriteResult {
  const { alias } = statement.table;
  const name = identifier(alias);
  const table = sql`select ${name}.*\nfrom ${from(context.current)} as ${name}`;
  const title = `delete from ${shown(context.shape.name)}`;
  const fields = { lines: statement.lines, change: null, dataFree: false };
  if (statement.using === null && statement.where === null && !statement.prefix) {
    return {
      next: emptied(context, title, statement.lines),
      affected: context.current,
      added: null,
      checks: [],
    };
  }
  const matches = matchQuery(statement);
  const goes = matches ? sql`exists (\n    ${matches}\n)` : sql`(${statement.where ?? 'true'})`;
  const stays = matches ? sql`not ${goes}` : sql`${goes} is not true`;
  const next = tableVersion(context, {
    ...fields,
    label: `${context.shape.name.name}_kept`,
    title: `${title}: the rows that stay`,
    body: {
      kind: 'query',
      head: null,
      sql: withComments(statement.comments, sql`${table}\nwhere ${stays}`),
    },
  });
  const affected = tableVersion(context, {
    ...fields,
    label: `${context.shape.name.name}_deleted`,
    title: `${title}: the rows that go`,
    body: { kind: 'query', head: null, sql: sql`${table}\nwhere ${goes}` },
  });
  return {
    next,
    affected,
    added: null,
    ...returnedBeside(statement, context, statement.using, null),
  };
}

/** The rows of USING that match; null where the condition is over the table's own row alone. */
function matchQuery(statement: BoundDelete): Fragment | null {
  if (statement.using === null && !statement.prefix) return null;
  const source = statement.using ? sql`\n    from ${statement.using}` : sql``;
  const where = statement.where ? sql`\n    where ${statement.where}` : sql``;
  return sql`${statement.prefix ? sql`${statement.prefix}\n    ` : ''}select 1${source}${where}`;
}

export function truncate(
  statement: Extract<BoundStatement, { kind: 'truncate' }>,
  context: RuleContext,
): WriteResult {
  const next = emptied(context, `truncate ${shown(context.shape.name)}`, statement.lines);
  return { next, affected: null, added: null, checks: [] };
}

function emptied(
  context: RuleContext,
  title: string,
  lines: BoundDelete['lines'],
): WriteResult['next'] {
  return tableVersion(context, {
    label: `${context.shape.name.name}_empty`,
    title,
    lines,
    change: null,
    dataFree: true,
    body: { kind: 'empty' },
  });
}
