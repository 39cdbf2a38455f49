/** BEGIN … END: declarations, the body, and what its exception handlers mean. */
import type { Evaluation, Flow } from '../evaluate.ts';
import { text } from '../fragment.ts';
import { readStatement } from '../postgres/statement.ts';
import type { Declaration, Handler, Step } from '../program.ts';
import { assignedIn } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { State, Value } from '../state.ts';
import type { Version } from '../version.ts';
import { isRecord, labelKey, lookup, withBlock, withoutBlock, withVariable } from '../state.ts';
import {
  asType,
  declaration,
  declaredType,
  evaluateExpression,
  readsRelation,
} from './expressions.ts';

type BlockStep = Extract<Step, { kind: 'block' }>;

export function applyBlock(evaluation: Evaluation, step: BlockStep, state: State): Flow {
  let inner = withBlock(state, new Map(step.label === null ? [] : [[labelKey(step.label), LABEL]]));
  for (const item of step.declarations) inner = declare(evaluation, item, inner);
  const body = withoutSkips(evaluation, step, inner);
  for (const handler of step.handlers) noteHandler(evaluation, handler, inner);
  const flow = evaluation.run(body, inner);
  return { ...flow, state: withoutHandled(step, withoutBlock(flow.state)) };
}

/**
 * What a handler that goes on puts into a variable is the value after an error, and the model ends
 * with the error: neither value is right for what comes after the block.
 */
function withoutHandled({ handlers }: BlockStep, state: State): State {
  let next = state;
  for (const { body, conditions, line } of handlers.filter((handler) => goesOn(handler.body))) {
    for (const target of body.flatMap((inner) => assignedIn(inner))) {
      const [name = ''] = target;
      const value = lookup(state, name);
      if (value === null || value.kind === 'poison') continue;
      const construct = `EXCEPTION WHEN ${conditions.join(' OR ').toUpperCase()}`;
      const message = `The handler sets ${name}, which is used after it.`;
      // A log may hold whether there was an error; rows that were read are data all the same.
      const isStatus = value.kind === 'scalar' && !readsRelation(value.sql);
      const code = isStatus ? 'handler-value' : 'exception-handler';
      const refusal = makeRefusal(code, { line, construct }, message);
      const [type, record] = [declaredType(state, name), isRecord(state, name)];
      next = withVariable(next, name, { kind: 'poison', refusal, type, record });
    }
  }
  return next;
}

/** Whether steps after the block may come after the handler. */
function goesOn(body: readonly Step[]): boolean {
  return !alwaysRaises(body) && body.at(-1)?.kind !== 'return';
}

/**
 * A handler that goes on after a duplicate of a lone row means `ON CONFLICT DO NOTHING`. Inside a
 * loop any other handler that goes on skips iterations, which is not told before the run.
 */
function withoutSkips(evaluation: Evaluation, step: BlockStep, state: State): readonly Step[] {
  const skipping = step.handlers.filter(({ body }) => !alwaysRaises(body));
  const [handler] = skipping;
  if (!handler) return step.body;
  const kept = keepsWhatIsThere(evaluation, step, state);
  if (kept) return [kept];
  if (!state.loop) return step.body;
  throw evaluation.refusal(
    'exception-handler',
    handler.line,
    `EXCEPTION WHEN ${handler.conditions.join(' OR ')}`,
    'The handler skips iterations of the loop that fail.',
  );
}

function keepsWhatIsThere(evaluation: Evaluation, step: BlockStep, state: State): Step | null {
  const [only, ...others] = step.body;
  const [handler, ...more] = step.handlers;
  if (only?.kind !== 'statement' || !handler || others.length + more.length > 0) return null;
  const quiet = handler.body.every((inner) => inner.kind === 'raise' && inner.level === 'message');
  const [name, ...names] = handler.conditions;
  if (!quiet || name?.toLowerCase() !== 'unique_violation' || names.length > 0) return null;
  const [part] = readStatement(only.code, evaluation.environment(state));
  const bound = part?.bind(new Map());
  const isLone = bound?.kind === 'insert' && bound.query?.keys.some((key) => key.length === 0);
  if (!isLone || !/^insert\b/iu.test(only.code.text) || !/\bvalues\b/iu.test(only.code.text))
    return null;
  if (bound.conflict || bound.returning) return null;
  return { ...only, code: { ...only.code, text: `${only.code.text}\nON CONFLICT DO NOTHING` } };
}

/** Whether a handler ends with an error whatever happens. */
function alwaysRaises(body: readonly Step[]): boolean {
  const last = body.at(-1);
  return last?.kind === 'raise' && last.level === 'exception';
}

/** Marks a block by its label, or by a number, among its variables. */
const LABEL: Value = { kind: 'scalar', sql: text('null'), type: null };

function declare(evaluation: Evaluation, item: Declaration, state: State): State {
  const block = new Map(state.variables.at(-1));
  block.set(item.name, initialValue(evaluation, item, state));
  if (item.number !== undefined) block.set(`#${item.number}`, LABEL);
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
