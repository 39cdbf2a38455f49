/** The verdict on one procedure, from everything that its proof has seen. */
import { qualified } from '../catalog/names.ts';
import type { Routine } from '../catalog/types.ts';
import type { TranslatedModel, Translation } from '../translate/types.ts';
import { isUnequal } from './record.ts';
import type { RoundRecord, RoutineRecord, SideError } from './record.ts';
import type { ProofOutcome, ProofReason, ProofVerdict } from './types.ts';

export interface VerdictInput {
  readonly routine: Routine;
  readonly translation: Translation;
  readonly record: RoutineRecord;
  /** Error on the data as given; null where it ran, or where there were no data. */
  readonly givenError: SideError | null;
  /** Whether the data were made up: an error on them may be theirs. */
  readonly madeUp: boolean;
  readonly models: readonly string[];
  readonly parameters: readonly Readonly<Record<string, string>>[];
  readonly remarks: readonly string[];
  readonly seconds: number;
}

/** Errors of a statement itself, whatever the rows: syntax, names, types. */
const OF_THE_CODE = /^42/u;
/** What may be there on the real server and not here: extensions bring functions and types. */
const MAY_BE_MISSING = new Set(['42883', '42704']);

export function verdictOf(input: VerdictInput): ProofVerdict {
  const { record, translation } = input;
  const { outcome, reasons } = decide(input);
  return {
    name: translation.routine,
    outcome,
    models: input.models,
    rounds: record.rounds.length,
    rows: rowsOf(record.rounds),
    seconds: input.seconds,
    reasons,
    differences: record.orderDependence?.differences ?? differencesOf(record.rounds),
    branches: record.branches,
    ...(input.parameters.length === 0 ? {} : { parameters: input.parameters }),
    ...(input.remarks.length === 0 ? {} : { remarks: input.remarks }),
    leftOut: leftOutOf(translation),
  };
}

interface Decision {
  readonly outcome: ProofOutcome;
  readonly reasons: readonly ProofReason[];
}

function decide(input: VerdictInput): Decision {
  const { record, translation, givenError } = input;
  const refusals = translation.refusals.map(({ line, construct, message, advice }) => ({
    line,
    construct,
    message,
    advice,
  }));
  if (record.fault !== null) return { outcome: 'error', reasons: [faultReason(record.fault)] };
  if (translation.outcome === 'refused') {
    const broken = givenError !== null && isOfTheCode(givenError);
    if (broken)
      return { outcome: 'broken', reasons: [brokenReason(input, givenError), ...refusals] };
    if (record.orderDependence !== null) {
      return { outcome: 'nondeterministic', reasons: [orderReason(input), ...refusals] };
    }
    return { outcome: 'refused', reasons: refusals };
  }
  // A helper that leaves no rows was called with arguments that nobody promised it could take.
  const isHelper = translation.outcome === 'nothing';
  if (givenError !== null && (isOfTheCode(givenError) || (!input.madeUp && !isHelper))) {
    return { outcome: 'broken', reasons: [brokenReason(input, givenError)] };
  }
  if (record.orderDependence !== null) {
    return { outcome: 'nondeterministic', reasons: [orderReason(input)] };
  }
  const ambiguity = record.rounds.flatMap((round) => round.ambiguities)[0];
  if (ambiguity !== undefined) {
    return { outcome: 'nondeterministic', reasons: [ambiguityReason(input, ambiguity)] };
  }
  const unequal = record.rounds.find(isUnequal);
  if (unequal !== undefined) {
    return { outcome: 'mismatch', reasons: [mismatchReason(input, unequal)] };
  }
  const blind = translation.models.find(
    ({ columns }) => columns.length > 0 && columns.every(({ unprovable }) => unprovable !== null),
  );
  if (blind !== undefined) return { outcome: 'refused', reasons: [blindReason(input, blind)] };
  if (isVacuous(input)) return { outcome: 'refused', reasons: [vacuousReason(input)] };
  return { outcome: 'proven', reasons: [] };
}

function blindReason({ routine }: VerdictInput, model: TranslatedModel): ProofReason {
  return {
    line: model.lines.first,
    construct: constructAt(routine, model.lines.first),
    message: `No column of ${qualified(model.table)} can be compared: ${model.columns[0]?.unprovable ?? ''}`,
    advice:
      'Accept the model if its rows need not be equal, or translate the procedure by hand (manual).',
  };
}

/** A proof in which no row has changed proves nothing, unless nothing is to change. */
function isVacuous({ record, translation }: VerdictInput): boolean {
  if (translation.outcome === 'nothing') return false;
  const ran = record.rounds.filter((round) => round.procedureError === null);
  if (ran.length === 0) return true;
  if (translation.outcome !== 'models') return false;
  const rows = translation.models.some((model) => model.materialization === 'view');
  return !ran.some((round) =>
    round.tables.some((table) => table.changed || (rows && table.rows > 0)),
  );
}

function isOfTheCode({ code, dynamic }: SideError): boolean {
  return code !== null && !dynamic && OF_THE_CODE.test(code) && !MAY_BE_MISSING.has(code);
}

function rowsOf(rounds: readonly RoundRecord[]): number {
  const compared = rounds.filter((round) => round.procedureError === null);
  return compared.flatMap(({ tables }) => tables).reduce((sum, { rows }) => sum + rows, 0);
}

function differencesOf(rounds: readonly RoundRecord[]): ProofVerdict['differences'] {
  const unequal = rounds.find(isUnequal);
  return (unequal?.tables ?? []).flatMap((table) => (table.equal ? [] : table.differences));
}

function leftOutOf(translation: Translation): ProofVerdict['leftOut'] {
  const columns = translation.models.flatMap(({ table, columns }) =>
    columns.flatMap(({ name, unprovable }) =>
      unprovable === null ? [] : [{ column: `${qualified(table)}.${name}`, reason: unprovable }],
    ),
  );
  const logs = translation.logTables.map((table) => ({
    column: `${qualified(table)}.*`,
    reason: 'a log table: it only gets row counts, times and messages',
  }));
  return [...columns, ...logs];
}

/** The author's line, as far as an error tells which. */
function constructAt(routine: Routine, line: number): string {
  const text = routine.body.split('\n')[line - 1]?.trim() ?? '';
  return text === '' ? qualified(routine.name) : text.slice(0, 120);
}

function brokenReason({ routine }: VerdictInput, error: SideError): ProofReason {
  const line = error.line ?? 1;
  return {
    line,
    construct: constructAt(routine, line),
    message: `It fails on the source: ${error.message}`,
    advice: 'Correct the procedure or its data, or skip it.',
  };
}

function orderReason({ routine, record }: VerdictInput): ProofReason {
  const dependence = record.orderDependence;
  const table = dependence === null ? 'its tables' : qualified(dependence.table);
  const tie = dependence?.differences[0];
  const shown = tie === undefined ? '' : `: ${shortRow(tie.procedure)} or ${shortRow(tie.model)}`;
  return {
    line: 1,
    construct: qualified(routine.name),
    message: `It gives other rows in ${table} when its input lies in another order (${dependence?.round ?? ''})${shown}`,
    advice:
      'Add columns to ORDER BY until no two rows are equal in it, then try again, or accept the model.',
  };
}

function shortRow(row: Readonly<Record<string, string | null>> | null): string {
  if (row === null) return 'no row';
  const values = Object.entries(row).map(([name, value]) => `${name}=${value ?? 'NULL'}`);
  const text = `(${values.join(', ')})`;
  return text.length <= 160 ? text : `${text.slice(0, 157)}...`;
}

function ambiguityReason({ translation }: VerdictInput, message: string): ProofReason {
  const test = translation.tests.find((candidate) => candidate.message === message);
  return {
    line: test?.line ?? 1,
    construct: test?.name ?? translation.routine,
    message: `Its result depends on the order of its input: ${message}`,
    advice:
      'Make the choice definite (a unique key, a total ORDER BY), then try again, or accept the model.',
  };
}

function mismatchReason({ routine }: VerdictInput, round: RoundRecord): ProofReason {
  const line = round.procedureError?.line ?? 1;
  const construct = constructAt(routine, line);
  const where = `round "${round.name}"${round.scope === 'together' ? ', all together' : ''}`;
  const advice =
    'Report it as a fault of Sprocket; until then translate the procedure by hand (manual).';
  if (round.modelError !== null && round.procedureError === null) {
    return {
      line,
      construct,
      message: `The procedure runs, the model fails (${where}): ${round.modelError}`,
      advice,
    };
  }
  if (round.procedureError !== null && round.modelError === null) {
    return {
      line,
      construct,
      message: `The procedure fails, the model does not (${where}): ${round.procedureError.message}`,
      advice,
    };
  }
  const tables = round.tables
    .filter((table) => !table.equal)
    .map(({ table, problem, differences }) => {
      const rows =
        differences.length === 0
          ? ''
          : `, for example ${shortRow(differences[0]?.procedure ?? null)} against ${shortRow(differences[0]?.model ?? null)}`;
      return `${qualified(table)}: ${problem ?? `rows differ${rows}`}`;
    });
  return { line, construct, message: `Unequal in ${where}: ${tables.join('; ')}`, advice };
}

function vacuousReason({ routine, record, givenError }: VerdictInput): ProofReason {
  const error =
    givenError ?? record.rounds.find((round) => round.procedureError !== null)?.procedureError;
  const line = error?.line ?? 1;
  const failing =
    error == null ? '' : ` It fails on the rows that were made up for it: ${error.message}.`;
  return {
    line,
    construct: constructAt(routine, line),
    message: `No round has changed a row, so nothing is proven.${failing}`,
    advice: 'Give rows on which the procedure does its work (--data).',
  };
}

function faultReason(fault: string): ProofReason {
  return {
    line: 1,
    construct: '',
    message: fault,
    advice: 'This is a fault of Sprocket: please report it with the procedure and its tables.',
  };
}
