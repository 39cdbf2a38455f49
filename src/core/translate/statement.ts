/** Applies one bound SQL statement to a state. */
import type { BoundStatement, BoundWrite, Returning } from './bound.ts';
import { callBound } from './control/call.ts';
import { rowsOfEach } from './control/loop-counts.ts';
import { overLoop } from './control/loop-writes.ts';
import { selectInto } from './control/variables.ts';
import type { Evaluation } from './evaluate.ts';
import { from, sql } from './fragment.ts';
import { identifier } from './identifiers.ts';
import type { StatementPart } from './postgres/statement.ts';
import type { CodeText, Target } from './program.ts';
import { refuse } from './refusals.ts';
import type { WriteResult } from './rules/context.ts';
import { withComments } from './rules/rows.ts';
import type { State } from './state.ts';
import { create, createAs, drop } from './tables-made.ts';
import type { Version } from './version.ts';
import { applyWrite, commit, truncated } from './write.ts';

export interface Pending {
  readonly bound: BoundWrite;
  readonly result: WriteResult;
}

export function applyStatement(
  evaluation: Evaluation,
  parts: readonly StatementPart[],
  state: State,
  code: CodeText,
  into: readonly Target[] | null,
  strict: boolean,
): State {
  const relations = new Map<string, Version>();
  const pending: Pending[] = [];
  let last: Version | null = null;
  let only: BoundStatement | null = null;
  let next = state;
  for (const part of parts) {
    const bound = part.bind(relations);
    only = bound;
    let rows: Version | null = null;
    if (bound.kind === 'query') {
      rows = queryVersion(evaluation, bound, part.name ?? 'query');
      evaluation.loops.at(-1)?.read(bound.query.loopReads, bound.lines.first);
    } else if (isWrite(bound)) {
      const written = overLoop(evaluation, state, bound);
      const result = applyWrite(evaluation, state, written);
      pending.push({ bound: written, result });
      rows = written.returning
        ? returned(evaluation, written, written.returning, result)
        : result.affected;
    } else {
      next = applyOther(evaluation, next, bound);
    }
    if (part.name !== null && rows)
      relations.set(part.name, renamed(evaluation, rows, part.name, part.head));
    last = rows;
  }
  next = commit(evaluation, next, pending);
  if (parts.length > 0) {
    const rows = state.loop
      ? rowsOfEach(evaluation, state, parts.length === 1 ? only : null)
      : countedRows(last);
    next = { ...next, lastRows: rows };
  }
  if (into === null) return next;
  if (!last)
    throw evaluation.refusal(
      'return-value',
      code.line,
      code.text,
      'The statement gives no rows to put into variables.',
    );
  // What a write returns may be one row at most. So may a value: with more, the model fails as well.
  const rows = only && isWrite(only) ? { ...last, keys: [[]] } : last;
  return selectInto(evaluation, next, into, rows, strict, code.line);
}

function countedRows(rows: Version | null): State['lastRows'] {
  if (rows) return { kind: 'rows', rows };
  return { kind: 'unknown', reason: 'The statement before counts no rows.' };
}

function isWrite(bound: BoundStatement): bound is BoundWrite {
  return (
    bound.kind === 'insert' ||
    bound.kind === 'update' ||
    bound.kind === 'delete' ||
    bound.kind === 'merge'
  );
}

/** The rows of a CTE whose columns are named anew in its head. */
function renamed(
  evaluation: Evaluation,
  rows: Version,
  label: string,
  head: readonly string[],
): Version {
  if (head.length === 0) return rows;
  const rename = (column: string): string =>
    head[rows.columns?.findIndex(({ name }) => name === column) ?? -1] ?? column;
  return evaluation.session.factory.make({
    ...rows,
    label,
    title: `with ${label}`,
    columns:
      rows.columns?.map((column, index) => ({ ...column, name: head[index] ?? column.name })) ??
      null,
    keys: rows.keys.map((key) => key.map(rename)),
    change: null,
    owner: null,
    body: { kind: 'query', head, sql: sql`select *\nfrom ${from(rows)}` },
  });
}

function queryVersion(
  evaluation: Evaluation,
  bound: Extract<BoundStatement, { kind: 'query' }>,
  label: string,
): Version {
  return evaluation.session.factory.make({
    label,
    title: label === 'query' ? 'query' : `with ${label}`,
    lines: bound.lines,
    columns: bound.query.columns,
    keys: bound.query.keys,
    change: null,
    owner: null,
    dataFree: bound.query.reads.length === 0,
    body: { kind: 'query', head: null, sql: withComments(bound.comments, bound.query.sql) },
  });
}

function returned(
  evaluation: Evaluation,
  bound: BoundWrite,
  returning: Returning,
  result: WriteResult,
): Version {
  if (!result.affected)
    refuse('return-value', bound.place, "The rows that the statement returns can't be told.");
  if (returning.others && !result.returned)
    refuse(
      'return-value',
      bound.place,
      'RETURNING names a source of the MERGE, of which the model keeps no row.',
    );
  const rows = sql`select ${returning.list}\nfrom ${from(result.affected)} as ${identifier(bound.table.alias)}`;
  return evaluation.session.factory.make({
    label: `${bound.table.alias}_returned`,
    title: 'returning',
    lines: bound.lines,
    columns: returning.columns,
    keys: [],
    change: null,
    owner: null,
    dataFree: result.affected.dataFree,
    body: {
      kind: 'query',
      head: null,
      sql: result.returned ?? rows,
    },
  });
}

function applyOther(evaluation: Evaluation, state: State, bound: BoundStatement): State {
  switch (bound.kind) {
    case 'truncate':
      return truncated(evaluation, state, bound);
    case 'create-as':
      return createAs(evaluation, state, bound);
    case 'create':
      return create(evaluation, state, bound);
    case 'drop':
      return drop(evaluation, state, bound);
    case 'call':
      return callBound(evaluation, state, bound);
    case 'ignored':
      evaluation.session.note('left-out', bound.lines.first, bound.message);
      return state;
    default:
      return state;
  }
}
