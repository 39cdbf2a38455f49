/** How well a routine is suited for automatic translation, and why. */
import { qualified } from '../catalog/names.ts';
import type { Routine } from '../catalog/types.ts';
import type { Rating } from '../plan/types.ts';
import type { RefusalCode } from '../translate/refusals.ts';
import type { TranslatedModel, Translation } from '../translate/types.ts';
import { cycleText } from './cycles.ts';
import type { Cycle } from './cycles.ts';
import type { UnorderedWriters } from './dependencies.ts';
import type { EffectProblem } from './effect-types.ts';

export interface RatingInput {
  readonly routine: Routine;
  readonly translation: Translation;
  readonly problems: readonly EffectProblem[];
  readonly cycles: readonly Cycle[];
  readonly unordered: readonly UnorderedWriters[];
  /** Whether those that call it give it its arguments. */
  readonly argumentsKnown: boolean;
}

export interface Rated {
  readonly rating: Rating;
  /** One line each, the weightiest first; one that says what comes of it where nothing is against it. */
  readonly reasons: readonly string[];
}

/** Nothing that a change of a statement or two would mend. */
const BEYOND_REPAIR: ReadonlySet<string> = new Set<RefusalCode>([
  'copy',
  'dynamic-sql',
  'external',
  'language',
  'parameter-in-name',
  'parse-error',
  'return-value',
  'session-setting',
  'trigger-function',
]);

/** Notes that speak of what the proof may find. */
const DOUBTFUL_NOTES = new Set(['ambiguity', 'unprovable', 'author-bug']);

const MOST_REASONS = 3;

/**
 * Likely: it translates, and nothing speaks against its proof. Possible: it translates, but a proof
 * may fail or needs a person. Unlikely: it does not translate as it is. Manual: a machine can do
 * nothing with it.
 */
export function rate(input: RatingInput): Rated {
  const { translation, cycles } = input;
  if (translation.outcome === 'refused') {
    const beyond = translation.refusals.some(({ code }) => BEYOND_REPAIR.has(code));
    const reasons = translation.refusals.map(({ line, message }) => atLine(line, message));
    return { rating: beyond ? 'Manual' : 'Unlikely', reasons: few(reasons) };
  }
  if (cycles.length > 0) {
    const reasons = cycles.map((cycle) => `waits for itself: ${cycleText(cycle)}`);
    return { rating: 'Unlikely', reasons: few(reasons) };
  }
  const doubts = doubtsOf(input);
  return doubts.length > 0
    ? { rating: 'Possible', reasons: few(doubts) }
    : { rating: 'Likely', reasons: [outcomeText(translation)] };
}

function doubtsOf(input: RatingInput): readonly string[] {
  const { translation, problems, unordered, routine } = input;
  const id = translation.routine;
  const unprovable = translation.models.flatMap((model) =>
    model.columns.flatMap(({ name, unprovable: why }) =>
      why === null ? [] : [`${model.table.name}.${name} can't be proven: ${why}`],
    ),
  );
  return [
    ...unordered.map((each) => orderDoubt(each, id)),
    ...(input.argumentsKnown ? [] : missingArguments(routine)),
    ...problems.map(({ line, message }) => atLine(line, message)),
    ...unprovable,
    ...translation.notes
      .filter(({ kind }) => DOUBTFUL_NOTES.has(kind))
      .map(({ line, message }) => atLine(line, message)),
    ...translation.tests
      .filter(({ kind }) => kind === 'ambiguity')
      .map(({ line, message }) => atLine(line, message)),
  ];
}

function orderDoubt({ table, writers, reason }: UnorderedWriters, id: string): string {
  const others = writers.filter((writer) => writer !== id).join(', ');
  const name = qualified(table);
  if (reason === 'interleaved') return `${name} is changed by turns with ${others}`;
  if (reason === 'conflict')
    return `its callers disagree on whether ${others} writes ${name} first`;
  return `${others} writes ${name} too: put the rows in the order in which they run`;
}

/** Parameters that a call must give a value; what an INOUT one is given seldom matters. */
export function requiredParameters(routine: Routine): readonly string[] {
  return routine.parameters
    .filter(({ mode, defaultSql }) => mode === 'in' && defaultSql === null)
    .map(({ name }, at) => (name === '' ? `$${at + 1}` : name));
}

function missingArguments(routine: Routine): readonly string[] {
  const names = requiredParameters(routine);
  if (names.length === 0) return [];
  return [`needs a value for ${names.join(', ')} in Arguments`];
}

function outcomeText(translation: Translation): string {
  switch (translation.outcome) {
    case 'checks':
      return 'becomes tests';
    case 'calls':
      return 'only calls others';
    case 'nothing':
      return 'leaves nothing behind';
    default:
      return [...new Set(ownModels(translation).map(modelText))].join(', ');
  }
}

/** Steps that several models share are no tables of the procedure. */
function ownModels({ models }: Translation): readonly TranslatedModel[] {
  return models.filter(({ intermediate }) => !intermediate);
}

function modelText({ materialization, incremental }: TranslatedModel): string {
  if (materialization !== 'rebuild') return materialization;
  if (incremental === null) return 'rebuilt over its own rows';
  return incremental.strategy === 'append' ? 'append' : 'merge by key';
}

function atLine(line: number, message: string): string {
  const text = message.endsWith('.') ? message.slice(0, -1) : message;
  return line > 0 ? `line ${line}: ${text}` : text;
}

function few(reasons: readonly string[]): readonly string[] {
  const distinct = [...new Set(reasons)];
  if (distinct.length <= MOST_REASONS) return distinct;
  const more = distinct.length - MOST_REASONS;
  return [...distinct.slice(0, MOST_REASONS), `and ${more} more`];
}
