/** Spelling of database names: one canonical text per table and per routine. */
import type { QualifiedName, Routine } from './types.ts';

/** `schema.name`, unquoted: a key for maps and for people's eyes, not SQL. */
export function qualified(name: QualifiedName): string {
  return `${name.schema}.${name.name}`;
}

export function sameName(a: QualifiedName, b: QualifiedName): boolean {
  return a.schema === b.schema && a.name === b.name;
}

/**
 * `schema.name(argument types)`: how plans, progress rows and reports name a routine.
 * Only parameters that a caller passes count, so OUT and TABLE parameters are left out.
 */
export function routineId(routine: Pick<Routine, 'name' | 'parameters' | 'kind'>): string {
  const passed = routine.parameters.filter(
    (parameter) =>
      parameter.mode !== 'table' && (parameter.mode !== 'out' || routine.kind === 'procedure'),
  );
  return `${qualified(routine.name)}(${passed.map((parameter) => parameter.type).join(', ')})`;
}
