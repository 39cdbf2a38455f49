/** Procedures that only call others: what they do is what the models of those do. */
import { z } from 'zod';
import { routineId } from '../core/catalog/names.ts';
import { parameterName } from '../core/proof/call.ts';
import { withCalled } from '../core/proof/called.ts';
import { FORGET_CALLS, NOTED_CALLS } from '../core/proof/instrument/routines.ts';
import { typedLiteral } from '../core/proof/names.ts';
import type { RoundKind, RoundRecord } from '../core/proof/record.ts';
import type { Translation } from '../core/translate/types.ts';
import { compareDatabases, observe, observeClone } from './prove-compare.ts';
import { cloneState, throwIfAborted, withSession } from './prove-context.ts';
import type { ArgumentValues, ProofContext, RoundSetting } from './prove-context.ts';
import { buildModels, buildOf, callRoutines, MODEL_DATABASE } from './prove-run.ts';
import { compareScope } from './prove-scope.ts';

const CALLS_DATABASE = 'calls';

const argumentsSchema = z.array(z.string().nullable());

/** Arguments that a routine was called with: SQL expressions by parameter. */
export interface NotedCall {
  readonly routine: string;
  readonly values: ArgumentValues;
}

/** Calls a routine on a copy of a state, and tells what it calls with which arguments. */
export async function notedCalls(
  context: ProofContext,
  state: string,
  routine: string,
  setting: RoundSetting,
): Promise<readonly NotedCall[]> {
  await cloneState(context, state, CALLS_DATABASE);
  await withSession(context, CALLS_DATABASE, (session) => session.query(FORGET_CALLS));
  await callRoutines(context, CALLS_DATABASE, [routine], setting);
  const calls = await readCalls(context);
  await context.sandbox.drop(CALLS_DATABASE);
  return calls.filter((call) => call.routine !== routine);
}

export interface CallerRound {
  readonly setting: RoundSetting;
  readonly kind: RoundKind;
  readonly state: string;
  readonly routine: string;
  /** Those that it calls, directly or not, in the order in which they run. */
  readonly called: readonly Translation[];
}

/** The caller on one side, the models of those that it calls on the other. */
export async function runCaller(context: ProofContext, round: CallerRound): Promise<RoundRecord> {
  throwIfAborted(context);
  await cloneState(context, round.state, CALLS_DATABASE);
  await cloneState(context, round.state, MODEL_DATABASE);
  return withSession(context, CALLS_DATABASE, (procedureSession) =>
    withSession(context, MODEL_DATABASE, async (modelSession) => {
      await procedureSession.query(FORGET_CALLS);
      const procedure = { session: procedureSession, before: await observe(procedureSession) };
      const model = {
        session: modelSession,
        before: await observeClone(modelSession, procedure.before),
      };
      const { routine, setting, called } = round;
      const errors = await callRoutines(context, CALLS_DATABASE, [routine], setting);
      const noted = await readCalls(context);
      const values = new Map([
        ...setting.values,
        ...noted.map((call) => [call.routine, call.values] as const),
      ]);
      const run = await buildModels(context, {
        translations: called,
        setting: { ...setting, values },
        columnTests: false,
      });
      const comparison = await withSession(context, round.state, (before) =>
        compareDatabases({
          ...compareScope(context, called, run.project.models),
          procedure,
          model,
          before,
          round: setting.name,
        }),
      );
      const builds = called.map((translation) => buildOf(run, translation));
      return {
        name: setting.name,
        kind: round.kind,
        scope: 'alone',
        procedureError: errors.get(routine) ?? null,
        modelError: builds.find(({ error }) => error !== null)?.error ?? null,
        // Those are the called procedures' own affair, and said there.
        ambiguities: [],
        tables: comparison.tables,
      };
    }),
  );
}

/** Everything that is called, directly or not, in the order of the translations. */
export function calledBy(
  { routine: caller }: Translation,
  translations: ReadonlyMap<string, Translation>,
): readonly Translation[] {
  const found = withCalled(translations.values(), [caller]);
  return [...translations.values()]
    .filter(({ routine }) => routine !== caller && found.has(routine))
    .filter(({ outcome }) => outcome !== 'calls' && outcome !== 'nothing');
}

async function readCalls(context: ProofContext): Promise<readonly NotedCall[]> {
  const { rows } = await withSession(context, CALLS_DATABASE, (session) =>
    session.query(NOTED_CALLS),
  );
  return rows.flatMap(([routine, json]) => {
    const values = argumentsSchema.parse(JSON.parse(json ?? '[]'));
    return routine == null ? [] : [{ routine, values: byParameter(context, routine, values) }];
  });
}

function byParameter(
  { catalog }: ProofContext,
  id: string,
  values: readonly (string | null)[],
): ArgumentValues {
  const routine = catalog.routines.find((candidate) => routineId(candidate) === id);
  const passed = (routine?.parameters ?? []).flatMap((parameter, index) =>
    parameter.mode === 'in' || parameter.mode === 'inout'
      ? [{ name: parameterName(parameter, index), type: parameter.type }]
      : [],
  );
  return Object.fromEntries(
    passed.map(({ name, type }, index) => {
      return [name, typedLiteral(values[index] ?? null, type)];
    }),
  );
}
