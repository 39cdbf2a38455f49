/**
 * Two states that a condition tells apart: a table that they have differently has the rows of one
 * where the condition holds, and those of the other where it does not.
 */
import { readsRelation } from './expressions.ts';
import type { Evaluation } from '../evaluate.ts';
import { from, plainText, sql } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { makeRefusal, shorten } from '../refusals.ts';
import type { State, TableState, Value } from '../state.ts';
import type { Version } from '../version.ts';

/** The state that is `a` where the condition holds and `b` where it does not. */
export function choose(
  evaluation: Evaluation,
  condition: Fragment,
  not: Fragment,
  a: State,
  b: State,
  at: { readonly line: number },
): State {
  const tables = new Map<string, TableState>();
  for (const key of new Set([...a.tables.keys(), ...b.tables.keys()])) {
    const chosen = chooseTable(evaluation, condition, not, key, a, b, at);
    if (chosen) tables.set(key, chosen);
  }
  const variables = a.variables.map((block, index) => {
    const merged = new Map<string, Value>();
    for (const [name, value] of block) {
      const other = b.variables[index]?.get(name);
      merged.set(name, other ? chooseValue(condition, value, other, name, at) : value);
    }
    for (const [name, value] of b.variables[index] ?? [])
      if (!merged.has(name)) merged.set(name, value);
    return merged;
  });
  const lastRows =
    a.lastRows === b.lastRows
      ? a.lastRows
      : ({ kind: 'unknown', reason: 'The statement before depends on a condition.' } as const);
  return { ...a, tables, variables, lastRows };
}

function chooseTable(
  evaluation: Evaluation,
  condition: Fragment,
  not: Fragment,
  key: string,
  a: State,
  b: State,
  at: { readonly line: number },
): TableState | null {
  const left = a.tables.get(key) ?? untouched(evaluation, key, a);
  const right = b.tables.get(key) ?? untouched(evaluation, key, b);
  if (!left || !right) return left ?? right;
  if (left === right) return left;
  const refusal = left.refusal ?? right.refusal;
  const lines = {
    first: Math.min(left.lines?.first ?? Infinity, right.lines?.first ?? Infinity),
    last: Math.max(left.lines?.last ?? 0, right.lines?.last ?? 0),
  };
  const common = {
    ...left,
    refusal,
    lines: Number.isFinite(lines.first) ? lines : null,
    onlyDataFree: left.onlyDataFree && right.onlyDataFree,
    addsRows: left.addsRows || right.addsRows,
    takesData: left.takesData || right.takesData,
    looksLikeLog: left.looksLikeLog || right.looksLikeLog,
    sequenceRestarted: left.sequenceRestarted && right.sequenceRestarted,
  };
  if (left.version === right.version || refusal) return common;
  if (!left.version || !right.version) {
    const message = `The table ${key} is dropped on one side of the condition only.`;
    return { ...common, refusal: makeRefusal('ddl', { line: at.line, construct: key }, message) };
  }
  return {
    ...common,
    version: chooseVersion(evaluation, condition, not, left.version, right.version),
  };
}

function untouched(evaluation: Evaluation, key: string, state: State): TableState | null {
  const dot = key.indexOf('.');
  return evaluation
    .environment(state)
    .shapeOf({ schema: key.slice(0, dot), name: key.slice(dot + 1) });
}

function chooseVersion(
  evaluation: Evaluation,
  condition: Fragment,
  not: Fragment,
  left: Version,
  right: Version,
): Version {
  const { factory } = evaluation.session;
  const grownLeft = addedSince(left, right);
  if (grownLeft)
    return grown(
      evaluation,
      right,
      grownLeft.map((added) => filtered(evaluation, added, condition)),
    );
  const grownRight = addedSince(right, left);
  if (grownRight)
    return grown(
      evaluation,
      left,
      grownRight.map((added) => filtered(evaluation, added, not)),
    );
  const inputs = [filtered(evaluation, left, condition), filtered(evaluation, right, not)].filter(
    (version) => version.body.kind !== 'empty',
  );
  const [only] = inputs;
  if (inputs.length === 1 && only) return only;
  return factory.make({
    ...left,
    title: 'one side or the other of a condition',
    body: { kind: 'union', inputs },
    change: null,
  });
}

/** The rows that were only added to a version since an earlier one; null where more was done. */
export function addedSince(version: Version, base: Version): readonly Version[] | null {
  if (version === base) return [];
  if (version.change?.kind !== 'append') return null;
  const before = addedSince(version.change.base, base);
  return before ? [...before, ...version.change.added] : null;
}

function grown(evaluation: Evaluation, base: Version, added: readonly Version[]): Version {
  return evaluation.session.factory.make({
    ...base,
    title: `rows of ${base.label}`,
    body: { kind: 'union', inputs: base.body.kind === 'empty' ? added : [base, ...added] },
    change: base.body.kind === 'empty' ? null : { kind: 'append', base, added },
    dataFree: false,
  });
}

function filtered(evaluation: Evaluation, version: Version, condition: Fragment): Version {
  if (version.body.kind === 'empty') return version;
  return evaluation.session.factory.make({
    ...version,
    label: `${version.label}_if`,
    title: `${version.title}, under the condition ${shorten(plainText(condition))}`,
    change: null,
    body: {
      kind: 'query',
      head: null,
      sql: sql`select *\nfrom ${from(version)}\nwhere ${condition}`,
    },
  });
}

function chooseValue(
  condition: Fragment,
  a: Value,
  b: Value,
  name: string,
  at: { readonly line: number },
): Value {
  if (a === b) return a;
  if (a.kind === 'poison') return a;
  if (b.kind === 'poison') return b;
  if (a.kind === 'scalar' && b.kind === 'scalar') {
    if (plainText(a.sql) === plainText(b.sql) && !readsRelation(a.sql)) return a;
    return {
      kind: 'scalar',
      sql: sql`(case when ${condition} then ${a.sql} else ${b.sql} end)`,
      type: a.type ?? b.type,
    };
  }
  return {
    kind: 'poison',
    refusal: makeRefusal(
      'statement',
      { line: at.line, construct: name },
      `The record ${name} comes from different queries on the two sides of a condition.`,
    ),
  };
}
