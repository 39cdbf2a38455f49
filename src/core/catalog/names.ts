/** Spelling of database names: one canonical text per table and per routine. */
import type { QualifiedName, Routine } from './types.ts';

/** `schema.name`, unquoted: a key for maps and for people's eyes, not SQL. */
export function qualified(name: QualifiedName): string {
  return `${name.schema}.${name.name}`;
}

export function sameName(a: QualifiedName, b: QualifiedName): boolean {
  return a.schema === b.schema && a.name === b.name;
}

/** Parameters that a caller passes: OUT ones only where it is a procedure, and never TABLE ones. */
export function passedParameters(
  routine: Pick<Routine, 'parameters' | 'kind'>,
): Routine['parameters'] {
  return routine.parameters.filter(
    ({ mode }) => mode !== 'table' && (mode !== 'out' || routine.kind === 'procedure'),
  );
}

/** `schema.name(argument types)`: how plans, progress rows and reports name a routine. */
export function routineId(routine: Pick<Routine, 'name' | 'parameters' | 'kind'>): string {
  const types = passedParameters(routine).map(({ type }) => type);
  return `${qualified(routine.name)}(${types.join(', ')})`;
}
