/** IF: both sides are evaluated from the same state; what they leave differently is chosen by the condition. */
import { choose } from './choose.ts';
import { evaluateExpression, readsRelation } from './expressions.ts';
import { ifOverLoop } from './loop-branch.ts';
import type { Evaluation, Flow } from '../evaluate.ts';
import { from, sql } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import type { IfArm, Step } from '../program.ts';
import { shorten } from '../refusals.ts';
import type { State } from '../state.ts';

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
    const { refusals, handlerWrites, calls } = probe.session;
    return (
      flow.ending === 'falls-through' &&
      flow.state.tables === state.tables &&
      refusals.length === 0 &&
      handlerWrites.size === 0 &&
      calls.length === 0 &&
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
