/** MERGE: for each row the first arm whose condition holds. */
import type { BoundMerge, MergeArm } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { from, join, sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { refuse } from '../refusals.ts';
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
import { appended, shown, withComments } from './insert.ts';

const EXISTS = 'source_row_exists';

export function merge(statement: BoundMerge, context: RuleContext): WriteResult {
  const columns = columnsOf(context, statement.place);
  const key = identifyingKey(context.shape);
  if (!statement.singleMatch && !key) {
    refuse(
      'several-matches',
      statement.place,
      'No key shows that at most one source row matches a row of the table.',
    );
  }
  const ofTarget = statement.arms.filter((arm) => arm.match !== 'by-target');
  const ofSource = statement.arms.filter((arm) => arm.match === 'by-target');
  const added = ofSource.flatMap((arm, index) =>
    arm.action.kind === 'insert'
      ? [insertedRows(statement, arm.action.set, ofSource, index, columns, context)]
      : [],
  );
  if (ofTarget.every((arm) => arm.action.kind === 'nothing')) {
    return {
      next: appended(context, context.current, added, statement),
      affected: null,
      added,
      checks: [],
    };
  }
  const title = `merge into ${shown(context.shape.name)}`;
  const updated = version(
    statement,
    context,
    'merged',
    `${title}: the rows that were there`,
    withGenerated(context, targetRows(statement, ofTarget, columns, context, 'all'), columns),
  );
  const rows = union(
    context,
    [
      version(
        statement,
        context,
        'changed',
        `${title}: the rows that change`,
        withGenerated(
          context,
          targetRows(statement, ofTarget, columns, context, 'changed'),
          columns,
        ),
      ),
      ...added,
    ],
    {
      title: `${title}: changed and new rows`,
      lines: statement.lines,
      change: null,
    },
  );
  const deletes = ofTarget.some((arm) => arm.action.kind === 'delete');
  const keysStay = key?.columns.every((column) =>
    ofTarget.every(
      (arm) =>
        arm.action.kind !== 'update' || arm.action.set.every((item) => item.column !== column),
    ),
  );
  const change: Version['change'] =
    !deletes && keysStay ? { kind: 'merge', base: context.current, rows } : null;
  const next =
    added.length === 0
      ? { ...updated, change }
      : union(context, [updated, ...added], { title, lines: statement.lines, change });
  return { next, affected: rows, added: null, checks: [] };
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

/** `case` that gives the number of the arm that applies to a row. */
function chosenArm(arms: readonly MergeArm[]): Fragment {
  const whens = arms.map((arm, index) => {
    const side =
      arm.match === 'matched'
        ? [text(EXISTS)]
        : arm.match === 'by-source'
          ? [text(`${EXISTS} is null`)]
          : [];
    const conditions = arm.condition ? [...side, sql`(${arm.condition})`] : side;
    return sql`        when ${conditions.length === 0 ? text('true') : join(conditions, ' and ')} then ${String(index + 1)}`;
  });
  return sql`case\n${join(whens, '\n')}\n    end`;
}

function targetRows(
  statement: BoundMerge,
  arms: readonly MergeArm[],
  columns: readonly ShapeColumn[],
  context: RuleContext,
  which: 'all' | 'changed',
): Fragment {
  const { alias } = statement.table;
  const list = selectList(
    columns.map((column) => {
      const old = columnOf(alias, column.name);
      const whens = arms.flatMap((arm, index) => {
        if (arm.action.kind !== 'update') return [];
        const value = assignments(arm.action.set, columns, statement.place).get(column.name);
        return value ? [sql`when ${String(index + 1)} then ${value}`] : [];
      });
      if (whens.length === 0) return { value: old, name: column.name, bare: true };
      return {
        value: sql`case chosen.arm ${join(whens, ' ')} else ${old} end`,
        name: column.name,
        bare: false,
      };
    }),
  );
  const numbers = (kind: MergeArm['action']['kind']): string =>
    arms.flatMap((arm, index) => (arm.action.kind === kind ? [String(index + 1)] : [])).join(', ');
  const deleted = numbers('delete');
  const where =
    which === 'changed'
      ? `chosen.arm in (${numbers('update') || '0'})`
      : `(chosen.arm in (${deleted})) is not true`;
  const filter = which === 'all' && deleted === '' ? '' : `\nwhere ${where}`;
  const source = identifier(statement.sourceAlias);
  const prefix = statement.prefix ?? [];
  return sql`${prefix}${list}\nfrom ${from(context.current)} as ${identifier(alias)}\nleft join (\n    select\n        ${source}.*,\n        true as ${EXISTS}\n    from ${statement.source}\n) as ${source} on ${statement.condition}\ncross join lateral (\n    select ${chosenArm(arms)} as arm\n) as chosen${filter}`;
}

function insertedRows(
  statement: BoundMerge,
  set: Extract<MergeArm['action'], { kind: 'insert' }>['set'],
  arms: readonly MergeArm[],
  index: number,
  columns: readonly ShapeColumn[],
  context: RuleContext,
): Version {
  const values = new Map(set.map((assignment) => [assignment.column, assignment]));
  const list = selectList(
    columns.map((column) => {
      const given = values.get(column.name);
      if (column.generated) return { value: text('null'), name: column.name, bare: false };
      if (given && given.value !== 'default')
        return { value: assigned(given.value, given.type, column), name: column.name, bare: false };
      const value = column.surrogate
        ? assigned(sql`${highestKey(context, column)} + row_number() over ()`, 'bigint', column)
        : defaultValue(column);
      return { value, name: column.name, bare: false };
    }),
  );
  const unmatched =
    context.current.body.kind === 'empty'
      ? text('true')
      : sql`not exists (\n    select 1\n    from ${from(context.current)} as ${identifier(statement.table.alias)}\n    where ${statement.condition}\n)`;
  const conditions =
    arms.length === 1 && arms[0]?.condition === null
      ? sql``
      : sql`\n    and ${chosenArm(arms.map((arm) => ({ ...arm, match: 'by-target' })))} = ${String(index + 1)}`;
  const body = sql`${statement.prefix ?? []}${list}\nfrom ${statement.source}\nwhere ${unmatched}${conditions}`;
  return version(
    statement,
    context,
    index === 0 ? 'new' : `new_${index + 1}`,
    `merge into ${shown(context.shape.name)}: the rows that are new`,
    withGenerated(context, body, columns),
  );
}
