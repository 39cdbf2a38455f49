/** What the texts of routines are put together from. */
import type { RoutineParameter } from '../../src/core/catalog/types.ts';
import type { Random } from './random.ts';
import type { Subject } from './subjects.ts';

export interface RoutineText {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'procedure' | 'function';
  readonly language: 'plpgsql' | 'sql';
  readonly parameters: readonly RoutineParameter[];
  /** Null for procedures. */
  readonly returns: string | null;
  readonly body: string;
}

export type Writer = (subject: Subject, random: Random) => RoutineText;

export function parameter(
  name: string,
  type: string,
  defaultSql: string | null = null,
): RoutineParameter {
  return { name, type, mode: 'in', defaultSql };
}

export function plpgsql(
  schema: string,
  name: string,
  text: Partial<RoutineText> & { readonly body: string },
): RoutineText {
  return {
    schema,
    name,
    kind: 'procedure',
    language: 'plpgsql',
    parameters: [],
    returns: null,
    ...text,
  };
}

export const BASE = [
  'id',
  'code',
  'title',
  'status',
  'country',
  'currency',
  'amount',
  'quantity',
  'created_at',
  'updated_at',
];

/** One column per line, as people write long lists. */
export function columns(names: readonly string[], alias = '', indent = 11): string {
  const prefix = alias === '' ? '' : `${alias}.`;
  return names.map((name) => `${prefix}${name}`).join(`,\n${' '.repeat(indent)}`);
}

export function extras({ attributes }: Subject): readonly string[] {
  return attributes.map(({ name }) => name);
}

/** A condition that some authors add and others do not. */
export function sometimes(random: Random, text: string): string {
  return random() < 0.5 ? text : '';
}

/** The block of comments that some authors put on top. */
export function header(name: string, random: Random): string {
  const people = ['jb', 'mr', 'k.lang', 'external'];
  const changes = Array.from({ length: Math.floor(5 * random()) }, (_, index) => {
    const who = people[Math.floor(people.length * random())] ?? '';
    return ` *   ${2017 + 2 * index}-${Math.floor(10 + 3 * random())}-11  ${who.padEnd(8)}  ticket ${Math.floor(9_000 * random())}`;
  });
  if (changes.length === 0) return '';
  return `/${'*'.repeat(60)}\n * Job: ${name}\n * Changes:\n${changes.join('\n')}\n ${'*'.repeat(60)}/\n`;
}

/** Corrections of the rows of a table that came over the years, one statement each. */
export function corrections(table: string, subject: Subject, random: Random): string {
  const { attributes } = subject;
  return attributes
    .filter(({ type }) => type === 'text' && random() < 0.4)
    .map(
      ({ name }) => `
    -- ${name} came in both spellings
    UPDATE ${table}
       SET ${name} = lower(${name})
     WHERE ${name} IS NOT NULL
       AND ${name} <> lower(${name});
`,
    )
    .join('');
}
