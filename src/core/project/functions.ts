/**
 * Functions and types of the database that models use: they travel with the project, as a macro
 * that creates whichever of them the target database does not have.
 */
import type { Catalog, Routine, UserType } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import { identifier, literal } from '../translate/identifiers.ts';
import { scan } from '../translate/postgres/parser.ts';
import type { Token } from '../translate/postgres/parser.ts';
import { escapeJinja } from './jinja.ts';
import type { Macro } from './macros.ts';

/** Functions that the texts call, and those that these call in turn, callees first. */
export function calledFunctions(catalog: Catalog, texts: readonly string[]): readonly Routine[] {
  const byName = new Map<string, Routine[]>();
  for (const routine of catalog.routines) {
    if (routine.kind !== 'function' || routine.isTrigger) continue;
    for (const key of namesOf(catalog, routine)) {
      byName.set(key, [...(byName.get(key) ?? []), routine]);
    }
  }
  const found = new Set<Routine>();
  const visit = (text: string): void => {
    for (const name of calledNames(text)) {
      for (const routine of byName.get(name) ?? []) {
        if (found.has(routine) || open.has(routine)) continue;
        open.add(routine);
        visit(routine.body);
        found.add(routine);
      }
    }
  };
  const open = new Set<Routine>();
  for (const text of texts) visit(text);
  return [...found];
}

function namesOf(catalog: Catalog, { name }: Routine): readonly string[] {
  const reachable = catalog.searchPath.includes(name.schema);
  return reachable ? [qualified(name), name.name] : [qualified(name)];
}

/** Names, with or without schema, that are followed by an opening parenthesis. */
function calledNames(sql: string): ReadonlySet<string> {
  const names = new Set<string>();
  const tokens = tokensOf(sql);
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || tokens[index + 1]?.text !== '(') continue;
    const name = unquoted(token);
    const schema = tokens[index - 1]?.text === '.' ? tokens[index - 2] : undefined;
    names.add(schema?.kind === 'word' ? `${unquoted(schema)}.${name}` : name);
  }
  return names;
}

function tokensOf(sql: string): readonly Token[] {
  try {
    return scan(sql).filter(({ kind }) => kind !== 'comment');
  } catch {
    // A body in a language with other tokens calls no SQL function by itself.
    return [];
  }
}

function unquoted({ text }: Token): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
}

/** Enum and composite types among the types given; a domain's checks are not in the catalog. */
export function usedTypes(
  catalog: Catalog,
  types: Iterable<string>,
): { readonly creatable: readonly UserType[]; readonly domains: readonly UserType[] } {
  const names = new Set([...types].map((type) => type.replace(/(?:\[\])+$/u, '')));
  const used = catalog.types.filter(
    ({ name }) => names.has(qualified(name)) || names.has(name.name),
  );
  return {
    creatable: used.filter(({ kind }) => kind !== 'domain'),
    domains: used.filter(({ kind }) => kind === 'domain'),
  };
}

export const CREATE_OBJECTS_CALL = '{{ sprocket_create_missing_objects() }}';

/** The macro for `on-run-start`. */
export function createObjectsMacro(
  functions: readonly Routine[],
  types: readonly UserType[],
): Macro {
  const objects = [
    ...types.map((type) => ({
      schema: type.name.schema,
      missing: `to_regtype(${literal(sqlName(type.name))}) is null`,
      create: createType(type),
    })),
    ...functions.map((routine) => ({
      schema: routine.name.schema,
      missing: `to_regprocedure(${literal(signature(routine))}) is null`,
      create: routine.definition.trim().replace(/;$/u, ''),
    })),
  ];
  const blocks = objects.map(
    ({
      schema,
      missing,
      create,
    }) => `    {%- if run_query(${jinjaText(`select ${missing}`)})[0][0] %}
create schema if not exists ${escapeJinja(identifier(schema))};
${escapeJinja(create)};
    {%- endif -%}`,
  );
  return {
    defines: ['sprocket_create_missing_objects'],
    file: 'create_missing_objects.sql',
    text: `{#- Types and functions that the models use and that this database does not have yet. -#}
{% macro sprocket_create_missing_objects() %}
    {%- if execute -%}
${blocks.join('\n')}
    {%- endif -%}
{% endmacro %}
`,
  };
}

function jinjaText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function sqlName({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

function signature(routine: Routine): string {
  const id = routineId(routine);
  return `${sqlName(routine.name)}${id.slice(id.indexOf('('))}`;
}

function createType(type: UserType): string {
  if (type.kind === 'enum') {
    return `create type ${sqlName(type.name)} as enum (${type.labels.map(literal).join(', ')})`;
  }
  const fields = type.fields.map((field) => `${identifier(field.name)} ${field.type}`);
  return `create type ${sqlName(type.name)} as (${fields.join(', ')})`;
}
