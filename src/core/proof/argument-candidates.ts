/** Values to call a routine with, where nobody has given any. */
import type { Routine, RoutineParameter } from '../catalog/types.ts';
import { routineId } from '../catalog/names.ts';
import { literal } from '../translate/identifiers.ts';
import { variablePlace } from './hints/places.ts';
import type { Hint, HintBook } from './hints/places.ts';
import { parameterName } from './call.ts';

/** Where values for a parameter can be read: a column that the routine compares it with. */
export interface ColumnSource {
  /** As `HintBook` names it. */
  readonly place: string;
}

export interface ParameterClues {
  readonly name: string;
  readonly type: string;
  /** SQL expressions from the routine's text. */
  readonly literals: readonly string[];
  readonly columns: readonly ColumnSource[];
  /** The lower end of a range, by its name. */
  readonly isLower: boolean;
  /** An expression of the type, where nothing else is known. */
  readonly fallback: string;
}

/** Clues for the parameters that have no default and no given value. */
export function parameterClues(
  routine: Routine,
  book: HintBook,
  given: Readonly<Record<string, string>>,
): readonly ParameterClues[] {
  const passed = routine.parameters.filter(
    (parameter) =>
      parameter.mode === 'in' || parameter.mode === 'inout' || parameter.mode === 'variadic',
  );
  return passed.flatMap((parameter, index): ParameterClues[] => {
    const name = parameterName(parameter, index);
    if (parameter.defaultSql !== null || given[name] !== undefined) return [];
    const { places, hints } = book.classOf(variablePlace(routineId(routine), parameter.name));
    return [
      {
        name,
        type: parameter.type,
        literals: hints.flatMap((hint) => literalOf(hint, parameter)),
        columns: places.filter((place) => place.startsWith('column ')).map((place) => ({ place })),
        isLower: /(start|from|begin|first|low|min|since|after)/iu.test(parameter.name),
        fallback: fallbackOf(parameter.type),
      },
    ];
  });
}

function literalOf(hint: Hint, parameter: RoutineParameter): string[] {
  if (hint.kind !== 'literal' && hint.kind !== 'bound') return [];
  return [`cast(${literal(hint.value)} as ${parameter.type})`];
}

/** A value that every routine can take: not NULL, since few are written with NULL in mind. */
function fallbackOf(type: string): string {
  if (type.endsWith('[]')) return `cast('{}' as ${type})`;
  if (/^(smallint|integer|bigint|numeric|real|double)/u.test(type)) return `cast(1 as ${type})`;
  if (/^(text|character|bpchar|name|citext)/u.test(type)) return `cast('x' as ${type})`;
  if (type === 'boolean') return 'true';
  if (/^(date|timestamp)/u.test(type)) return `cast(current_date as ${type})`;
  if (/^jsonb?$/u.test(type)) return `cast('{}' as ${type})`;
  return `cast(null as ${type})`;
}
