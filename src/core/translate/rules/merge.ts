/** MERGE: for each row the first arm whose condition holds. */
import type { BoundMerge, MergeArm } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { from, join, sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { ShapeColumn } from '../table.ts';
import { identifyingKey } from '../table.ts';
import type { Version } from '../version.ts';
import type { RuleContext, WriteResult } from './context.ts';
import {
  assigned,
  assignments,
  columnOf,
  columnsOf,
  defaultValue,
  highestKey,
  selectList,
  tableVersion,
  union,
  withGenerated,
} from './context.ts';
import { identifiedRows, keyColumns, onceForEach, onKeyNames } from './identify.ts';
import { appended, shown, withComments } from './rows.ts';

const EXISTS = 'source_row_exists';

type Columns = readonly ShapeColumn[];
type Arms = readonly MergeArm[];

export function merge(statement: BoundMerge, context: RuleContext): WriteResult {
  const columns = columnsOf(context, statement.place);
  const ofTarget = statement.arms.filter((arm) => arm.match !== 'by-target');
  const ofSource = statement.arms.filter((arm) => arm.match === 'by-target');
  const added = ofSource.flatMap((arm, index) =>
    arm.action.kind === 'insert'
      ? [insertedRows(statement, arm.action.set, ofSource, index, columns, context)]
      : [],
  );
  if (ofTarget.every((arm) => arm.action.kind === 'nothing')) {
    const next = appended(context, context.current, added, statement);
    return { next, affected: null, added, checks: [] };
  }
  const title = `merge into ${shown(context.shape.name)}`;
  const updated = statement.singleMatch
    ? mergedRows(statement, ofTarget, columns, context)
    : mergedOnce(statement, ofTarget, columns, context);
  const changed = targetQuery(statement, ofTarget, columns, context, 'changed');
  const rows = union(
    context,
    [
      version(
        statement,
        context,
        'changed',
        `${title}: the rows that change`,
        withGenerated(context, changed, columns),
      ),
      ...added,
    ],
    { title: `${title}: changed and new rows`, lines: statement.lines, change: null },
  );
  const change = isMerge(statement, ofTarget, context)
    ? ({ kind: 'merge', base: context.current, rows } as const)
    : null;
  const next =
    added.length === 0
      ? { ...updated, change }
      : union(context, [updated, ...added], { title, lines: statement.lines, change });
  return { next, affected: rows, added: null, checks: [] };
}

/** Whether the changed and new rows alone, by key, make the same table. */
function isMerge(statement: BoundMerge, arms: Arms, context: RuleContext): boolean {
  const key = identifyingKey(context.shape);
  if (!key || !statement.singleMatch) return false;
  return arms.every((arm) => {
    if (arm.action.kind === 'delete') return false;
    if (arm.action.kind !== 'update') return true;
    return arm.action.set.every((assignment) => !key.columns.includes(assignment.column));
  });
}

function version(
  statement: BoundMerge,
  context: RuleContext,
  verb: string,
  title: string,
  body: Fragment,
): Version {
  return tableVersion(context, {
    label: `${context.shape.name.name}_${verb}`,
    title,
    lines: statement.lines,
    change: null,
    dataFree: false,
    body: { kind: 'query', head: null, sql: withComments(statement.comments, body) },
  });
}

function mergedRows(
  statement: BoundMerge,
  arms: Arms,
  columns: Columns,
  context: RuleContext,
): Version {
  const title = `merge into ${shown(context.shape.name)}: the rows that were there`;
  const body = targetQuery(statement, arms, columns, context, 'all');
  return version(statement, context, 'merged', title, withGenerated(context, body, columns));
}

/** `case` that gives the number of the arm that applies to a row. */
function chosenArm(arms: Arms): Fragment {
  const whens = arms.map((arm, index) => {
    const side =
      arm.match === 'matched'
        ? [text(EXISTS)]
        : arm.match === 'by-source'
          ? [text(`${EXISTS} is null`)]
          : [];
    const conditions = arm.condition ? [...side, sql`(${arm.condition})`] : side;
    const when = conditions.length === 0 ? text('true') : join(conditions, ' and ');
    return sql`        when ${when} then ${String(index + 1)}`;
  });
  return sql`case\n${join(whens, '\n')}\n    end`;
}

/** Numbers of the arms that do something of a kind, as a list for IN; null where there is none. */
function armNumbers(arms: Arms, kinds: readonly MergeArm['action']['kind'][]): string | null {
  const numbers = arms.flatMap((arm, index) =>
    kinds.includes(arm.action.kind) ? [index + 1] : [],
  );
  return numbers.length === 0 ? null : numbers.join(', ');
}

/** The value of a column by arm; null where no arm sets it. */
function valueByArm(
  statement: BoundMerge,
  arms: Arms,
  columns: Columns,
  name: string,
  otherwise: Fragment,
): Fragment | null {
  const whens = arms.flatMap((arm, index) => {
    if (arm.action.kind !== 'update') return [];
    const value = assignments(arm.action.set, columns, statement.place).get(name);
    return value ? [sql`when ${String(index + 1)} then ${value}`] : [];
  });
  return whens.length === 0 ? null : sql`case chosen.arm ${join(whens, ' ')} else ${otherwise} end`;
}

/** The table's rows beside the source's, with the arm that applies to each pair. */
function pairs(statement: BoundMerge, arms: Arms, rows: Version): Fragment {
  const source = identifier(statement.sourceAlias);
  return sql`from ${from(rows)} as ${identifier(statement.table.alias)}
left join (
    select
        ${source}.*,
        true as ${EXISTS}
    from ${statement.source}
) as ${source} on ${statement.condition}
cross join lateral (
    select ${chosenArm(arms)} as arm
) as chosen`;
}

function targetQuery(
  statement: BoundMerge,
  arms: Arms,
  columns: Columns,
  context: RuleContext,
  which: 'all' | 'changed',
): Fragment {
  const { alias } = statement.table;
  const list = selectList(
    columns.map(({ name }) => {
      const old = columnOf(alias, name);
      const value = valueByArm(statement, arms, columns, name, old);
      return value ? { value, name, bare: false } : { value: old, name, bare: true };
    }),
  );
  const deleted = armNumbers(arms, ['delete']);
  const stays = deleted === null ? '' : `\nwhere (chosen.arm in (${deleted})) is not true`;
  const changes = `\nwhere chosen.arm in (${armNumbers(arms, ['update']) ?? '0'})`;
  return sql`${statement.prefix ?? []}${list}\n${pairs(statement, arms, context.current)}${which === 'all' ? stays : changes}`;
}

/**
 * Several source rows may match one row of the table, as long as only one of them acts on it;
 * PostgreSQL raises an error at the second, and so does the model.
 */
function mergedOnce(
  statement: BoundMerge,
  arms: Arms,
  columns: Columns,
  context: RuleContext,
): Version {
  const { alias } = statement.table;
  const title = `merge into ${shown(context.shape.name)}`;
  const { rows: base, key } = identifiedRows(context, statement.lines);
  const values = columns.flatMap(({ name }) => {
    const value = valueByArm(statement, arms, columns, name, columnOf(alias, name));
    return value ? [{ name, value }] : [];
  });
  const list = values.map(
    ({ name, value }) => sql`,\n    ${value} as ${identifier(`new_${name}`)}`,
  );
  const acts = armNumbers(arms, ['update', 'delete']) ?? '0';
  const acting = context.factory.make({
    label: `${context.shape.name.name}_acting`,
    title: `${title}: what is to be done to which row`,
    lines: statement.lines,
    columns: null,
    keys: [],
    change: null,
    owner: null,
    dataFree: false,
    body: {
      kind: 'query',
      head: null,
      sql: sql`${statement.prefix ?? []}select\n    ${keyColumns(key, alias)},\n    chosen.arm${list.flat()}\n${pairs(statement, arms, base)}\nwhere chosen.arm in (${acts})`,
    },
  });
  const updates = armNumbers(arms, ['update']) ?? '0';
  const projected = selectList(
    columns.map(({ name }) => {
      const old = columnOf(alias, name);
      if (!values.some((value) => value.name === name)) return { value: old, name, bare: true };
      const value = sql`case when acting.arm in (${updates}) then ${columnOf('acting', `new_${name}`)} else ${old} end`;
      return { value, name, bare: false };
    }),
  );
  const message = `several source rows act on one row of ${shown(context.shape.name)}: `;
  const deleted = armNumbers(arms, ['delete']);
  const stays = deleted === null ? '' : `\n    and (acting.arm in (${deleted})) is not true`;
  const body = sql`${projected}\nfrom ${from(base)} as ${identifier(alias)}\nleft join ${from(acting)} as acting\n    on ${onKeyNames(key, 'acting', alias)}\nwhere ${onceForEach(acting, key, message)}${stays}`;
  return version(
    statement,
    context,
    'merged',
    `${title}: the rows that were there`,
    withGenerated(context, body, columns),
  );
}

function insertedRows(
  statement: BoundMerge,
  set: Extract<MergeArm['action'], { kind: 'insert' }>['set'],
  arms: Arms,
  index: number,
  columns: Columns,
  context: RuleContext,
): Version {
  const given = new Map(set.map((assignment) => [assignment.column, assignment]));
  const list = selectList(
    columns.map((column) => ({
      value: insertedValue(given.get(column.name), column, context),
      name: column.name,
      bare: false,
    })),
  );
  const unmatched =
    context.current.body.kind === 'empty'
      ? text('true')
      : sql`not exists (\n    select 1\n    from ${from(context.current)} as ${identifier(statement.table.alias)}\n    where ${statement.condition}\n)`;
  const [only] = arms;
  const plain = arms.map((arm): MergeArm => ({ ...arm, match: 'by-target' }));
  const conditions =
    arms.length === 1 && only?.condition === null
      ? sql``
      : sql`\n    and ${chosenArm(plain)} = ${String(index + 1)}`;
  const body = sql`${statement.prefix ?? []}${list}\nfrom ${statement.source}\nwhere ${unmatched}${conditions}`;
  return version(
    statement,
    context,
    index === 0 ? 'new' : `new_${index + 1}`,
    `merge into ${shown(context.shape.name)}: the rows that are new`,
    withGenerated(context, body, columns),
  );
}

function insertedValue(
  given: { readonly value: Fragment | 'default'; readonly type: string | null } | undefined,
  column: ShapeColumn,
  context: RuleContext,
): Fragment {
  if (column.generated) return text('null');
  if (given && given.value !== 'default') return assigned(given.value, given.type, column);
  if (!column.surrogate) return defaultValue(column);
  return assigned(sql`${highestKey(context, column)} + row_number() over ()`, 'bigint', column);
}
