/** Which of the routines that share a name a call means: by number, names and types of arguments. */
import { passedParameters } from '../../catalog/names.ts';
import type { Routine } from '../../catalog/types.ts';
import type { CallArgument } from '../bound.ts';
import { canonicalType } from '../postgres/tree.ts';

/** One routine, or several where the types don't tell; none where none takes so many arguments. */
export function meantRoutines(
  routines: readonly Routine[],
  given: readonly CallArgument[],
): readonly Routine[] {
  const fitting = routines.filter((routine) => fits(routine, given));
  if (fitting.length < 2) return fitting;
  const scores = fitting.map((routine) => matches(routine, given));
  const best = Math.max(...scores);
  return fitting.filter((_, at) => scores[at] === best);
}

function fits(routine: Routine, given: readonly CallArgument[]): boolean {
  const parameters = passedParameters(routine);
  const required = parameters.filter(
    ({ defaultSql, mode }) => defaultSql === null && mode !== 'variadic',
  );
  const open = parameters.some(({ mode }) => mode === 'variadic');
  return given.length >= required.length && (open || given.length <= parameters.length);
}

/** How many arguments have just the type of their parameter. */
function matches(routine: Routine, given: readonly CallArgument[]): number {
  const parameters = passedParameters(routine);
  return given.filter(({ name, type }, at) => {
    const parameter =
      name === null ? parameters[at] : parameters.find((each) => each.name === name);
    return type !== null && parameter !== undefined && canonicalType(parameter.type) === type;
  }).length;
}
