/** Which of the routines that share a name a call can mean. */
import { passedParameters } from '../catalog/names.ts';
import type { Routine } from '../catalog/types.ts';
import type { CallReference } from './call-syntax.ts';

/** Gives the type of a parameter of the caller; null for anything else. */
export type TypeOfVariable = (name: string) => string | null;

/** One routine, or several where the text alone can't tell them apart; none where none fits. */
export function bestOverloads(
  routines: readonly Routine[],
  call: CallReference,
  typeOfVariable: TypeOfVariable,
): readonly Routine[] {
  const fitting = routines.filter((routine) => fits(routine, call));
  if (fitting.length < 2) return fitting;
  const scores = fitting.map((routine) => matches(routine, call, typeOfVariable));
  const best = Math.max(...scores);
  return fitting.filter((_, at) => scores[at] === best);
}

function fits(routine: Routine, call: CallReference): boolean {
  if ((routine.kind === 'procedure') !== call.procedure) return false;
  const parameters = passedParameters(routine);
  const needed = parameters.filter(
    ({ mode, defaultSql }) => mode !== 'variadic' && mode !== 'out' && defaultSql === null,
  );
  const given = call.arguments;
  const open = parameters.some(({ mode }) => mode === 'variadic');
  if (given.length < needed.length || (!open && given.length > parameters.length)) return false;
  return given.every(
    ({ name }) => name === null || parameters.some((parameter) => parameter.name === name),
  );
}

/** How many arguments have just the type of their parameter. */
function matches(routine: Routine, call: CallReference, typeOfVariable: TypeOfVariable): number {
  const parameters = passedParameters(routine);
  return call.arguments.filter(({ name, type, variable }, at) => {
    const given = type ?? (variable === null ? null : typeOfVariable(variable));
    const parameter =
      name === null ? parameters[at] : parameters.find((each) => each.name === name);
    return given !== null && parameter?.type === given;
  }).length;
}
