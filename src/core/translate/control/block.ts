/** BEGIN … END: declarations, the body, and what its exception handlers mean. */
import type { Evaluation, Flow } from '../evaluate.ts';
import { text } from '../fragment.ts';
import type { Declaration, Handler, Step } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { State, Value } from '../state.ts';
import type { Version } from '../version.ts';
import { labelKey, withBlock, withoutBlock } from '../state.ts';
import { asType, declaration, evaluateExpression } from './expressions.ts';

type BlockStep = Extract<Step, { kind: 'block' }>;

export function applyBlock(evaluation: Evaluation, step: BlockStep, state: State): Flow {
  let inner = withBlock(state, new Map(step.label === null ? [] : [[labelKey(step.label), LABEL]]));
  for (const item of step.declarations) inner = declare(evaluation, item, inner);
  for (const handler of step.handlers) noteHandler(evaluation, handler, inner);
  const flow = evaluation.run(step.body, inner);
  return { ...flow, state: withoutBlock(flow.state) };
}

/** Marks a block by its label among its variables. */
const LABEL: Value = { kind: 'scalar', sql: text('null'), type: null };

function declare(evaluation: Evaluation, item: Declaration, state: State): State {
  const block = new Map(state.variables.at(-1));
  block.set(item.name, initialValue(evaluation, item, state));
  if (item.cursor) evaluation.cursors.set(item.name, item.cursor);
  return { ...state, variables: [...state.variables.slice(0, -1), block] };
}

function initialValue(evaluation: Evaluation, item: Declaration, state: State): Value {
  if (item.kind === 'record')
    return { kind: 'record', row: emptyRecord(evaluation, item.name, item.line) };
  const type = declaration(item.type);
  if (!item.initial)
    return {
      kind: 'scalar',
      sql: type === null ? text('null') : text(`cast(null as ${type})`),
      type,
      constant: null,
    };
  try {
    const value = asType(evaluateExpression(evaluation, item.initial, state), type);
    return {
      kind: 'scalar',
      sql: value.sql,
      type: value.type,
      ...(value.constant === undefined ? {} : { constant: value.constant }),
    };
  } catch (error) {
    return { kind: 'poison', refusal: evaluation.refusalOf(error, item.line, item.initial.text) };
  }
}

/** The value of a record variable before anything is put into it. */
function emptyRecord(evaluation: Evaluation, name: string, line: number): Version {
  return evaluation.session.factory.make({
    label: name,
    title: `record ${name}`,
    lines: { first: line, last: line },
    columns: null,
    keys: [[]],
    change: null,
    owner: null,
    dataFree: true,
    body: { kind: 'empty' },
  });
}

/**
 * A handler that only logs, or raises again, changes nothing that lasts: a model that fails leaves
 * its table as it was. What a handler writes must turn out to be a log table.
 */
function noteHandler(evaluation: Evaluation, handler: Handler, state: State): void {
  const { session } = evaluation;
  const names = handler.conditions.map((condition) => condition.toUpperCase()).join(' OR ');
  session.note(
    'handler',
    handler.line,
    `The handler of ${names} is left out: a model that fails leaves its table as it was.`,
  );
  const probe = evaluation.probe();
  const unknown: Value = {
    kind: 'scalar',
    sql: text("''"),
    type: 'text',
  };
  const inside = withBlock(
    state,
    new Map([
      ['sqlerrm', unknown],
      ['sqlstate', unknown],
    ]),
  );
  const { state: after } = probe.run(handler.body, inside);
  for (const [key, table] of after.tables) {
    const before = state.tables.get(key);
    if (before?.version === table.version && before?.refusal === table.refusal) continue;
    const place = { line: handler.line, construct: `EXCEPTION WHEN ${names}` };
    session.handlerWrites.set(
      key,
      makeRefusal('exception-handler', place, `The handler writes ${key}, which is no log table.`),
    );
    if (table.onlyDataFree && table.addsRows) session.logWrites.add(key);
  }
}
