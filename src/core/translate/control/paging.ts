/**
 * Loops that page through rows: the pages of a query together are the query.
 *
 * `LOOP INSERT … SELECT … ORDER BY … LIMIT n OFFSET o; EXIT WHEN NOT FOUND; o := o + n; END LOOP`,
 * with the offset starting at zero and growing by the page size.
 */
import { qualified } from '../../catalog/names.ts';
import type { Evaluation } from '../evaluate.ts';
import { versionsIn } from '../fragment.ts';
import { readStatement } from '../postgres/statement.ts';
import type { Version } from '../version.ts';
import { pageOf } from '../postgres/paging.ts';
import type { CodeText, Step } from '../program.ts';
import type { State } from '../state.ts';
import { lookup } from '../state.ts';
import { constantVariable } from './expressions.ts';
import { constantOf } from '../postgres/constants.ts';
import { scan } from '../postgres/parser.ts';
import { assignedIn } from '../program.ts';

type While = Extract<Step, { kind: 'while' }>;

/** The loop's writes without their pages; null where the loop has another form. */
export function pagedBody(
  evaluation: Evaluation,
  step: While,
  state: State,
): { readonly body: readonly Step[] } | null {
  if (step.condition !== null) return null;
  const pages = step.body.flatMap((inner) =>
    inner.kind === 'statement' ? [pageOf(inner.code)] : [],
  );
  const [page] = pages;
  if (pages.length !== 1 || !page || !page.ordered) return null;
  const value = lookup(state, page.offset);
  if (value?.kind !== 'scalar' || value.constant !== 0) return null;
  const grows = step.body.some(
    (inner) =>
      inner.kind === 'assign' &&
      inner.target[0] === page.offset &&
      isGrowth(inner.expression.text, page.offset, page.limit),
  );
  const leaves = step.body.some(
    (inner) =>
      inner.kind === 'exit' && !inner.again && leavesWhenEmpty(inner, step, state, page.limit),
  );
  const others = step.body.filter(
    (inner) =>
      !['statement', 'assign', 'exit', 'diagnostics', 'transaction', 'raise'].includes(inner.kind),
  );
  const set = step.body.flatMap((inner) => assignedIn(inner)).map((target) => target.join('.'));
  // Whatever else the loop sets must not reach the pages.
  const mixed = set.some(
    (name) => name !== page.offset && mentions(`${page.whole.text} ${page.limit}`, name),
  );
  if (!grows || !leaves || others.length > 0 || mixed) return null;
  if (!isSteady(evaluation, page.whole, state)) return null;
  return {
    body: step.body.flatMap((inner): Step[] =>
      inner.kind === 'statement'
        ? [{ ...inner, code: page.whole }]
        : inner.kind === 'transaction' || inner.kind === 'raise'
          ? [inner]
          : [],
    ),
  };
}

/** Pages follow each other only where adding one leaves the others, and FOUND, as they are. */
export function isSteady(evaluation: Evaluation, code: CodeText, state: State): boolean {
  const [part, ...more] = readStatement(code, evaluation.environment(state));
  const bound = part?.bind(new Map());
  if (bound?.kind !== 'insert' || more.length > 0) return false;
  const { conflict, query } = bound;
  const skips = conflict?.action.kind === 'nothing' || conflict?.action.where;
  const table = qualified(bound.table.name);
  return !skips && !query?.reads.some((version) => readsTable(version, table));
}

export function readsTable(version: Version, table: string): boolean {
  if (version.owner === table) return true;
  const { body } = version;
  if (body.kind === 'union') return body.inputs.some((input) => readsTable(input, table));
  return body.kind === 'query' && versionsIn(body.sql).some((read) => readsTable(read, table));
}

function mentions(text: string, name: string): boolean {
  return scan(text).some((token) => token.text.toLowerCase() === name.toLowerCase());
}

const squeeze = (text: string): string => text.replaceAll(/\s+/gu, '').toLowerCase();

function isGrowth(expression: string, offset: string, limit: string): boolean {
  const sum = squeeze(expression);
  return (
    sum === `${squeeze(offset)}+${squeeze(limit)}` || sum === `${squeeze(limit)}+${squeeze(offset)}`
  );
}

/** `EXIT WHEN NOT FOUND`, or when the row count is zero or less than a page. */
function leavesWhenEmpty(
  exit: Extract<Step, { kind: 'exit' }>,
  step: While,
  state: State,
  limit: string,
): boolean {
  if (!exit.condition) return false;
  const condition = squeeze(exit.condition.text);
  if (condition === 'notfound') return true;
  const counts = step.body.flatMap((inner) =>
    inner.kind === 'diagnostics'
      ? inner.items
          .filter((item) => item.item === 'ROW_COUNT')
          .map((item) => squeeze(item.target.join('.')))
      : [],
  );
  if (
    counts.some((count) => condition === `${count}=0` || condition === `${count}<${squeeze(limit)}`)
  )
    return true;
  const size = constantOf(limit, (path) => constantVariable(state, path));
  return counts.some((count) => condition === `${count}<${String(size)}`);
}
