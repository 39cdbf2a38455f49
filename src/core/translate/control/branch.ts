/**
 * IF: both sides are evaluated from the same state; a table that they leave differently has the
 * rows of one side where the condition holds, and those of the other where it does not.
 */
import type { Evaluation, Flow } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { from, plainText, sql } from '../fragment.ts';
import type { IfArm, Step } from '../program.ts';
import { makeRefusal, shorten } from '../refusals.ts';
import type { State, TableState, Value } from '../state.ts';
import type { Version } from '../version.ts';
import { ifOverLoop } from './loop-branch.ts';
import { evaluateExpression, readsRelation } from './expressions.ts';

type IfStep = Extract<Step, { kind: 'if' }>;

export function applyIf(evaluation: Evaluation, step: IfStep, state: State): Flow {
  if (changesNothing(evaluation, step, state)) return { state, ending: 'falls-through' };
  if (state.loop) return ifOverLoop(evaluation, step, state);
  return applyArms(evaluation, step.arms, step.otherwise, state);
}

/** Sides that only write messages, or make what is there already, leave the state as it is. */
function changesNothing(evaluation: Evaluation, step: IfStep, state: State): boolean {
  const sides = [...step.arms.map((arm) => arm.body), step.otherwise];
  const plain = sides
    .flat()
    .every(
      (inner) =>
        inner.kind === 'statement' || (inner.kind === 'raise' && inner.level === 'message'),
    );
  if (!plain) return false;
  return sides.every((body) => {
    const probe = evaluation.probe();
    const flow = probe.run(body, state);
    const { refusals, handlerWrites } = probe.session;
    return (
      flow.ending === 'falls-through' &&
      flow.state.tables === state.tables &&
      refusals.length === 0 &&
      handlerWrites.size === 0 &&
      flow.state.variables === state.variables
    );
  });
}

function applyArms(
  evaluation: Evaluation,
  arms: readonly IfArm[],
  otherwise: readonly Step[],
  state: State,
): Flow {
  const [arm, ...rest] = arms;
  if (!arm) return evaluation.run(otherwise, state);
  const value = evaluateExpression(evaluation, arm.condition, state);
  if (value.constant !== undefined) {
    return value.constant === true
      ? evaluation.run(arm.body, state)
      : applyArms(evaluation, rest, otherwise, state);
  }
  const condition = named(evaluation, value.sql, arm);
  evaluation.session.branches.push({ line: arm.line, label: shorten(`if ${arm.condition.text}`) });
  const not = sql`(${condition}) is not true`;
  const taken = onPath(evaluation, condition, () => evaluation.run(arm.body, state));
  const other = onPath(evaluation, not, () => applyArms(evaluation, rest, otherwise, state));
  return join(evaluation, condition, not, taken, other, arm);
}

function onPath(evaluation: Evaluation, condition: Fragment, run: () => Flow): Flow {
  evaluation.path.push(condition);
  const flow = run();
  evaluation.path.pop();
  return flow;
}

/** A condition that reads tables becomes a step of its own, with one row. */
function named(evaluation: Evaluation, condition: Fragment, arm: IfArm): Fragment {
  if (!readsRelation(condition)) return condition;
  const version = evaluation.session.factory.make({
    label: 'condition',
    title: shorten(`if ${arm.condition.text}`),
    lines: { first: arm.line, last: arm.line },
    columns: [{ name: 'holds', type: 'boolean' }],
    keys: [[]],
    change: null,
    owner: null,
    dataFree: false,
    body: { kind: 'query', head: null, sql: sql`select ${condition} as holds` },
  });
  return sql`(select holds from ${from(version)})`;
}

function join(
  evaluation: Evaluation,
  condition: Fragment,
  not: Fragment,
  taken: Flow,
  other: Flow,
  arm: IfArm,
): Flow {
  if (taken.ending === 'raises' || other.ending === 'raises') {
    if (taken.ending === other.ending) return taken;
    const message = shorten(`if ${arm.condition.text}`);
    const raising = taken.ending === 'raises';
    evaluation.raiseWhen(raising ? condition : not, message, arm.line);
    return raising ? other : taken;
  }
  if (taken.ending === 'falls-through' && other.ending === 'falls-through') {
    return {
      state: choose(evaluation, condition, not, taken.state, other.state, arm),
      ending: 'falls-through',
    };
  }
  if (taken.ending === 'returns' && other.ending === 'returns') {
    return {
      state: choose(evaluation, condition, not, taken.state, other.state, arm),
      ending: 'returns',
    };
  }
  if (taken.ending === 'returns' && other.ending === 'falls-through') {
    evaluation.session.returns.push({
      condition: evaluation.onPath(condition),
      state: taken.state,
    });
    return other;
  }
  if (other.ending === 'returns' && taken.ending === 'falls-through') {
    evaluation.session.returns.push({ condition: evaluation.onPath(not), state: other.state });
    return taken;
  }
  throw evaluation.refusal(
    'loop',
    arm.line,
    arm.condition.text,
    'The loop is left under a condition.',
  );
}

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
