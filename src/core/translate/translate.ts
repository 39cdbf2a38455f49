/**
 * The translator: stored routines to relational expressions.
 *
 * Each routine is evaluated from the state that it finds. Which tables are only logs is known when
 * all routines were evaluated; only then is it decided what is a model and what is a refusal.
 */
import type { Catalog, Routine } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import { parameterValue } from './binding.ts';
import { CatalogIndex } from './catalog-index.ts';
import { Evaluation } from './evaluate.ts';
import type { Evaluated } from './finish.ts';
import { finalState, finish } from './finish.ts';
import { text } from './fragment.ts';
import { findLogTables } from './log-tables.ts';
import { cteNames } from './postgres/cte-names.ts';
import { FactsReader } from './postgres/facts.ts';
import { readProgram } from './postgres/program.ts';
import { isMeaningful } from './postgres/settings.ts';
import { canonicalType } from './postgres/tree.ts';
import { makeRefusal } from './refusals.ts';
import { Session } from './session.ts';
import type { Value } from './state.ts';
import { emptyState, RESULT } from './state.ts';
import type { Refusal, Translation } from './types.ts';

export interface TranslateOptions {
  /** Ids of the routines to translate; all routines of the catalog where it is left out. */
  readonly routines?: readonly string[];
  /** Tables, as `schema.name`, that are data although they look like logs. */
  readonly dataTables?: readonly string[];
}

/**
 * Translates routines. Never throws for what a routine contains: what can't be translated is a
 * refusal in its translation. `loadParser` must have been awaited before.
 */
export function translate(
  catalog: Catalog,
  options: TranslateOptions = {},
): readonly Translation[] {
  const index = new CatalogIndex(catalog);
  const facts = new FactsReader(index);
  const wanted = options.routines ? new Set(options.routines) : null;
  const routines = catalog.routines.filter((routine) => wanted?.has(routineId(routine)) ?? true);
  const inScope = new Set(routines.map((routine) => routineId(routine)));
  const results = routines.map((routine) => evaluateRoutine(routine, index, facts, inScope));
  const evaluated = results.filter((result) => 'evaluation' in result);
  const logTables = findLogTables(evaluated, index, facts, new Set(options.dataTables));
  return results.map((result) => ('evaluation' in result ? finish(result, logTables) : result));
}

/** Each step is a level in the query that comes out of them: many more are more than a stack holds. */
const MOST_STEPS = 1_500;

function evaluateRoutine(
  routine: Routine,
  index: CatalogIndex,
  facts: FactsReader,
  inScope: ReadonlySet<string>,
): Evaluated | Translation {
  const place = { line: 1, construct: qualified(routine.name) };
  if (routine.isTrigger)
    return refused(routine, makeRefusal('trigger-function', place, 'It is a trigger function.'));
  if (routine.language !== 'sql' && routine.language !== 'plpgsql') {
    return refused(
      routine,
      makeRefusal('language', place, `It is written in ${routine.language}.`),
    );
  }
  const setting = Object.keys(routine.settings).find(
    (name) => name !== 'search_path' && isMeaningful(name),
  );
  if (setting !== undefined) {
    return refused(
      routine,
      makeRefusal(
        'session-setting',
        { line: 1, construct: `SET ${setting}` },
        `The routine runs with its own ${setting}.`,
      ),
    );
  }
  const session = new Session(index, facts, facts.of(routine), inScope);
  session.callStack.push(routineId(routine));
  const evaluation = new Evaluation(session, routine);
  try {
    const flow = evaluation.run(readProgram(routine), {
      ...emptyState(),
      variables: [parameterBlock(routine)],
    });
    if (session.steps > MOST_STEPS) {
      const message = `It takes ${session.steps} steps; up to ${MOST_STEPS} make a model that can be written out.`;
      return refused(routine, makeRefusal('too-large', place, message));
    }
    if (flow.ending === 'raises') {
      return refused(routine, makeRefusal('raise', place, 'It always ends with an error.'));
    }
    const evaluated = { routine, evaluation, state: flow.state, taken: cteNames(routine) };
    return { ...evaluated, state: finalState(evaluated) };
  } catch (error) {
    return refused(routine, evaluation.refusalOf(error, 1, place.construct));
  }
}

function parameterBlock(routine: Routine): ReadonlyMap<string, Value> {
  const block = new Map<string, Value>([
    [RESULT, { kind: 'scalar', sql: text('null'), type: null }],
  ]);
  for (const [index, parameter] of routine.parameters.entries()) {
    const type = canonicalType(parameter.type);
    const isResult = parameter.mode === 'table' || parameter.mode === 'out';
    const name = parameter.name === '' ? `p${index + 1}` : parameter.name;
    const sql = isResult ? text(`cast(null as ${type})`) : parameterValue(name, type);
    const value: Value = { kind: 'scalar', sql, type, ...(isResult ? { constant: null } : {}) };
    if (parameter.mode !== 'table') block.set(name, value);
    block.set(`$${index + 1}`, value);
  }
  return block;
}

function refused(routine: Routine, refusal: Refusal): Translation {
  return {
    routine: routineId(routine),
    outcome: 'refused',
    models: [],
    tests: [],
    parameters: [],
    refusals: [refusal],
    notes: [],
    branches: [],
    calls: [],
    reads: [],
    writes: [],
    logTables: [],
  };
}
