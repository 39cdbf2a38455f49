/**
 * Calls of other routines. One that the plan has too, and that is called without arguments, keeps
 * its own models; any other is evaluated in place, as if its body stood here.
 */
import type { Routine } from '../../catalog/types.ts';
import { routineId } from '../../catalog/names.ts';
import type { BoundStatement, CallArgument } from '../bound.ts';
import type { Evaluation } from '../evaluate.ts';
import { plainText, text } from '../fragment.ts';
import { bindCallText } from '../postgres/call.ts';
import { bindDefault } from '../postgres/defaults.ts';
import { readProgram } from '../postgres/program.ts';
import { canonicalType } from '../postgres/tree.ts';
import type { CodeText, Target } from '../program.ts';
import type { Place } from '../refusals.ts';
import { makeRefusal, refuse } from '../refusals.ts';
import { isLogWrite } from '../log-tables.ts';
import type { Refusal } from '../types.ts';
import type { State, Value } from '../state.ts';
import { emptyState, RESULT, withPoison, withVariable } from '../state.ts';
import { asType, constantVariable } from './expressions.ts';
import { meantRoutines } from './overloads.ts';
import { assignValue } from './variables.ts';
import { constantOf } from '../postgres/constants.ts';

interface CallSite {
  readonly path: readonly string[];
  readonly arguments: readonly CallArgument[];
  readonly place: Place;
  /** Where the result goes; null where nothing takes it. */
  readonly target: Target | null;
}

export function callBound(
  evaluation: Evaluation,
  state: State,
  bound: Extract<BoundStatement, { kind: 'call' }>,
): State {
  return call(evaluation, state, {
    path: bound.path,
    arguments: bound.arguments,
    place: bound.place,
    target: null,
  });
}

/** `PERFORM f(…)`: a call where `f` is a routine that changes tables; null for any other query. */
export function callRoutine(
  evaluation: Evaluation,
  query: CodeText,
  state: State,
  target: Target | null,
): State | null {
  return effectfulCall(evaluation, query, state, target);
}

/** `x := f(…)` where `f` changes tables; null for any other expression. */
export function applyCall(
  evaluation: Evaluation,
  expression: CodeText,
  state: State,
  target: Target,
): State | null {
  return effectfulCall(
    evaluation,
    { ...expression, text: `select ${expression.text}` },
    state,
    target,
  );
}

function effectfulCall(
  evaluation: Evaluation,
  query: CodeText,
  state: State,
  target: Target | null,
): State | null {
  const { session } = evaluation;
  const found = bindCallText(query, evaluation.environment(state));
  if (!found) return null;
  const meant = routinesOf(evaluation, found);
  if (meant.every((routine) => session.facts.of(routine).writes.size === 0)) return null;
  return call(evaluation, state, { ...found, target });
}

function routinesOf(
  { session, routine: caller }: Evaluation,
  called: Pick<CallSite, 'path' | 'arguments'>,
): readonly Routine[] {
  const named = session.index.routines(called.path, session.index.searchPathOf(caller));
  return meantRoutines(named, called.arguments);
}

function call(evaluation: Evaluation, state: State, site: CallSite): State {
  const { session } = evaluation;
  const [routine, ...others] = routinesOf(evaluation, site);
  if (others.length > 0) {
    const message = `Several routines ${site.path.join('.')} take ${site.arguments.length} arguments, and the types of these don't tell which one is meant.`;
    refuse('call', site.place, message);
  }
  if (!routine)
    refuse(
      'call',
      site.place,
      `There is no routine ${site.path.join('.')} that takes ${site.arguments.length} arguments.`,
    );
  const id = routineId(routine);
  if (session.callStack.includes(id)) refuse('recursive-call', site.place, `${id} calls itself.`);
  if (state.loop) refuse('loop', site.place, `${id} is called once for each row of a loop.`);
  if (routine.language !== 'sql' && routine.language !== 'plpgsql')
    refuse('language', site.place, `${id} is written in ${routine.language}.`);
  if (
    session.inScope.has(id) &&
    site.arguments.length === 0 &&
    !touched(session.facts.of(routine).writes, evaluation, state)
  ) {
    return keepsItsModels(evaluation, state, routine, site.place);
  }
  session.note('inlined', site.place.line, `${id} is evaluated in place.`);
  return inline(evaluation, state, routine, site);
}

/** Whether this routine has already read or changed a table that the call writes. */
function touched(writes: ReadonlySet<string>, evaluation: Evaluation, state: State): boolean {
  return [...writes].some((key) => state.tables.has(key) || evaluation.session.read.has(key));
}

function keepsItsModels(
  evaluation: Evaluation,
  state: State,
  routine: Routine,
  place: Place,
): State {
  const { session } = evaluation;
  const id = routineId(routine);
  const reason = notOnce(evaluation, id);
  if (reason !== null) {
    const message = `${id} ${reason}; its own models are built once in every run.`;
    const refusal = makeRefusal('call-in-plan', place, message);
    // A call that only logs may be left out, whenever it is made.
    for (const key of session.facts.of(routine).writes) session.handlerWrites.set(key, refusal);
  }
  session.calls.push(id);
  return uncounted(state, id, state.variables);
}

/** Models are built once, whatever the data say: a call that is not like that can't be left to them. */
function notOnce({ path, session }: Evaluation, id: string): string | null {
  if (session.calls.includes(id)) return 'is called more than once';
  return path.length > 0 || session.returns.length > 0 ? 'is called under a condition' : null;
}

function inline(evaluation: Evaluation, state: State, routine: Routine, site: CallSite): State {
  const { session } = evaluation;
  const id = routineId(routine);
  const inner = evaluation.of(routine);
  session.callStack.push(id);
  const returnsBefore = session.returns.length;
  try {
    const block = parameters(evaluation, state, routine, site);
    const flow = inner.run(readProgram(routine), uncounted(state, id, [block]));
    if (session.returns.length > returnsBefore) {
      refuse(
        'call',
        site.place,
        `${id} returns early under a condition, inside a routine that goes on.`,
      );
    }
    if (flow.ending === 'raises') refuse('raise', site.place, `${id} always raises an error.`);
    let next = uncounted(flow.state, id, state.variables);
    const outputs = routine.parameters.filter(
      (parameter) =>
        parameter.mode === 'inout' || (parameter.mode === 'out' && routine.kind === 'procedure'),
    );
    for (const parameter of outputs) {
      const position = routine.parameters.indexOf(parameter);
      const variable = site.arguments[position]?.variable;
      const value = flow.state.variables[0]?.get(parameter.name);
      if (variable && value) next = withVariable(next, variable[0] ?? '', value);
    }
    const [after] = flow.state.variables;
    return site.target && after
      ? assignResult(evaluation, next, routine, site, site.target, resultOf(routine, block, after))
      : next;
  } finally {
    session.callStack.pop();
  }
}

type Block = ReadonlyMap<string, Value>;

/** The value that a function gives: that of its only output, else what RETURN set; null: not known. */
function resultOf(routine: Routine, before: Block, after: Block): Value | null {
  const outputs = routine.parameters.filter(({ mode }) => mode === 'out' || mode === 'inout');
  const [only, ...others] = outputs;
  if (routine.returnsSet || others.length > 0) return null;
  if (only) return after.get(only.name) ?? null;
  const result = after.get(RESULT) ?? null;
  return result === before.get(RESULT) && routine.returns !== 'void' ? null : result;
}

function assignResult(
  evaluation: Evaluation,
  state: State,
  routine: Routine,
  { place }: CallSite,
  target: Target,
  result: Value | null,
): State {
  if (result?.kind === 'scalar') return assignValue(evaluation, state, target, result, place.line);
  const message = `The value that ${routineId(routine)} gives can't be told from its text.`;
  const refusal =
    result?.kind === 'poison' ? result.refusal : makeRefusal('return-value', place, message);
  return withPoison(state, target, refusal);
}

/** FOUND and ROW_COUNT are each routine's own: neither knows those of the other. */
function uncounted(state: State, called: string, variables: State['variables']): State {
  const reason = `${called} was called before.`;
  return { ...state, variables, lastRows: { kind: 'unknown', reason } };
}

function parameters(
  evaluation: Evaluation,
  state: State,
  routine: Routine,
  site: CallSite,
): Map<string, Value> {
  const block = new Map<string, Value>();
  block.set(RESULT, { kind: 'scalar', sql: text('null'), type: null });
  let position = 0;
  for (const [index, parameter] of routine.parameters.entries()) {
    const type = canonicalType(parameter.type);
    if (parameter.mode === 'table' || (parameter.mode === 'out' && routine.kind === 'function')) {
      block.set(parameter.name, { kind: 'scalar', sql: text('null'), type });
      continue;
    }
    const named = site.arguments.find((argument) => argument.name === parameter.name);
    const positional = site.arguments[position];
    const given = named ?? (positional?.name === null ? positional : undefined);
    position += 1;
    const value = given
      ? { sql: given.value, type: given.type }
      : {
          sql: parameter.defaultSql === null ? text('null') : bindDefault(parameter.defaultSql),
          type: null,
        };
    const constant = constantOf(plainText(value.sql), (path) => constantVariable(state, path));
    const held = asType({ ...value, ...(constant === undefined ? {} : { constant }) }, type);
    const entry: Value = {
      kind: 'scalar',
      sql: held.sql,
      type: held.type,
      ...(held.constant === undefined ? {} : { constant: held.constant }),
    };
    block.set(parameter.name === '' ? `$${index + 1}` : parameter.name, entry);
    block.set(`$${index + 1}`, entry);
  }
  return block;
}

/**
 * A function that changes tables is called inside an expression. That is right only where the
 * tables turn out to be logs; its value can't be told.
 */
export function noteSideEffect(evaluation: Evaluation, routine: Routine, refusal: Refusal): void {
  const { session } = evaluation;
  for (const key of session.facts.of(routine).writes) session.handlerWrites.set(key, refusal);
  if (routine.language !== 'sql' && routine.language !== 'plpgsql') return;
  if (session.callStack.includes(routineId(routine))) return;
  const probe = evaluation.probe(routine);
  const unknown = { path: [], arguments: [], place: refusal, target: null };
  try {
    const block = parameters(evaluation, emptyState(), routine, unknown);
    const { state } = probe.run(readProgram(routine), { ...emptyState(), variables: [block] });
    for (const [key, table] of state.tables)
      if (table.addsRows && isLogWrite(table)) session.logWrites.add(key);
  } catch {
    // What can't be read can't be shown to be a log: the refusal stays.
  }
}
