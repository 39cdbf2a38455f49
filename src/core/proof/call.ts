/** How a routine is called by hand, and where in it an error happened. */
import { qualified } from '../catalog/names.ts';
import type { Routine, RoutineParameter } from '../catalog/types.ts';
import { quoteName } from './names.ts';
import type { SideError } from './record.ts';

/** `values` are SQL expressions by parameter name; parameters without one take their default. */
export function callSql(routine: Routine, values: Readonly<Record<string, string>>): string {
  const name = quoteName(routine.name);
  if (routine.kind === 'procedure') return `CALL ${name}(${listed(routine, values)})`;
  // A row type with no columns can't be spread, and a void result is one row of nothing.
  return `SELECT ${name}(${listed(routine, values)})`;
}

/** The rows that a function gives, kept in a table. */
export function keepRowsSql(
  routine: Routine,
  values: Readonly<Record<string, string>>,
  table: { readonly schema: string; readonly name: string },
): string {
  return `CREATE TABLE ${quoteName(table)} AS SELECT * FROM ${quoteName(routine.name)}(${listed(routine, values)})`;
}

function listed(routine: Routine, values: Readonly<Record<string, string>>): string {
  const passed = routine.parameters.filter(
    ({ mode }) => mode !== 'table' && (mode !== 'out' || routine.kind === 'procedure'),
  );
  return passed.map((parameter, index) => argument(parameter, index, values)).join(', ');
}

function argument(
  parameter: RoutineParameter,
  index: number,
  values: Readonly<Record<string, string>>,
): string {
  if (parameter.mode === 'out') return 'NULL';
  const value = values[parameterName(parameter, index)] ?? parameter.defaultSql ?? 'NULL';
  const typed = `CAST(${value} AS ${parameter.type})`;
  return parameter.mode === 'variadic' ? `VARIADIC ${typed}` : typed;
}

/** The translator's name for a parameter that has none of its own. */
export function parameterName(parameter: RoutineParameter, index: number): string {
  return parameter.name === '' ? `p${index + 1}` : parameter.name;
}

/**
 * Where an error happened, from the server's stack of stored code, innermost call first: the line is
 * that of the routine itself, even where something that it calls has failed.
 */
export function sideError(
  routine: Routine,
  error: { readonly message: string; readonly code: string; readonly where: string | null },
): SideError {
  const frames = (error.where ?? '').split('\n');
  const own = frames.findLast((frame) => isFrameOf(frame, routine));
  const line = /\bline (\d+)\b/u.exec(own ?? '')?.[1];
  return {
    message: error.message,
    code: error.code,
    line: line === undefined ? null : Number(line),
    dynamic: frames.some((frame) => /\bat EXECUTE\b/u.test(frame)),
  };
}

function isFrameOf(frame: string, routine: Routine): boolean {
  const names = [qualified(routine.name), routine.name.name];
  return names.some((name) => frame.startsWith(`PL/pgSQL function ${name}(`));
}
