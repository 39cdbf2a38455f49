/** People's models in the project of a proof, in place of those that are made from the translation. */
import { qualified } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { ProjectFile, RenderedProject } from '../core/project/types.ts';

export interface HandwrittenModels {
  /** Texts of models by routine and table (`schema.name`). */
  readonly texts: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** What they may refer to: tables by the names of the models of the whole run that build them. */
  readonly tables: ReadonlyMap<string, QualifiedName>;
}

export const NONE_HANDWRITTEN: HandwrittenModels = { texts: new Map(), tables: new Map() };

/**
 * The files of a project with people's models in it. Our YAML of such a model goes: what it demands
 * of columns was made for the translation.
 */
export function withHandwritten(
  { texts: handwritten, tables }: HandwrittenModels,
  { files, models }: RenderedProject,
): readonly ProjectFile[] {
  const texts = new Map(
    models.flatMap(({ routine, table, path }) => {
      const text = handwritten.get(routine ?? '')?.get(qualified(table));
      return text === undefined ? [] : [[path, text]];
    }),
  );
  if (texts.size === 0) return files;
  const described = new Set([...texts.keys()].map((path) => path.replace(/\.sql$/u, '.yml')));
  const here = new Set(models.map(({ name }) => name));
  const elsewhere = [...tables].filter(([name]) => !here.has(name));
  return [
    ...files
      .filter(({ path }) => !described.has(path))
      .map(({ path, text }) => ({ path, text: texts.get(path) ?? text })),
    ...(elsewhere.length === 0 ? [] : [refMacro(elsewhere)]),
  ];
}

/** A proof builds its own models alone: the others' tables are there as the procedures left them. */
function refMacro(tables: readonly (readonly [name: string, table: QualifiedName])[]): ProjectFile {
  const given = Object.fromEntries(
    tables.map(([name, table]) => [name, [table.schema, table.name]]),
  );
  return {
    path: 'macros/sprocket/ref.sql',
    text: `{% macro ref() -%}
  {%- set given = ${JSON.stringify(given)} -%}
  {%- set name = varargs[-1] -%}
  {%- if name in given -%}
    {%- do return(api.Relation.create(database=target.database, schema=given[name][0], identifier=given[name][1])) -%}
  {%- endif -%}
  {%- do return(builtins.ref(*varargs, **kwargs)) -%}
{%- endmacro %}
`,
  };
}
