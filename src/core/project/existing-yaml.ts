/** Habits and declarations in the YAML files of an existing project. */
import { parse } from 'yaml';
import { z } from 'zod';
import type { ExistingProject, ExistingSource, ProjectFile } from './types.ts';

const sourcesSchema = z.looseObject({
  sources: z
    .array(
      z.looseObject({
        name: z.string(),
        schema: z.string().optional(),
        tables: z
          .array(z.looseObject({ name: z.string(), identifier: z.string().optional() }))
          .nullish(),
      }),
    )
    .nullish(),
});

/** Content of a YAML file; null where it is not YAML that dbt would read either. */
export function yamlContent(text: string): unknown {
  try {
    return parse(text, { version: '1.1' });
  } catch {
    return null;
  }
}

export function sourcesIn(text: string): readonly ExistingSource[] {
  const content = sourcesSchema.safeParse(yamlContent(text));
  if (!content.success) return [];
  return (content.data.sources ?? []).flatMap((source) =>
    (source.tables ?? []).map((table): ExistingSource => ({
      source: source.name,
      name: table.name,
      table: { schema: source.schema ?? source.name, name: table.identifier ?? table.name },
    })),
  );
}

export interface SchemaFolder {
  readonly folder: string;
  readonly schema: string;
}

/** Folders that `dbt_project.yml` gives a schema, from its `models:` tree. */
export function schemaFolders(tree: unknown, folder: string): readonly SchemaFolder[] {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]) => {
    if (key === '+schema' || key === 'schema') {
      return typeof value === 'string' && !value.includes('{{') ? [{ folder, schema: value }] : [];
    }
    return key.startsWith('+') ? [] : schemaFolders(value, `${folder}/${key}`);
  });
}

export function yamlStyle(
  files: readonly ProjectFile[],
): Pick<ExistingProject, 'yamlExtension' | 'yamlUnderscore'> {
  const named = files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
  const most = (matches: (name: string) => boolean) =>
    named.filter(matches).length * 2 > named.length;
  return {
    yamlExtension: most((name) => name.endsWith('.yaml')) ? 'yaml' : 'yml',
    yamlUnderscore: most((name) => name.startsWith('_')),
  };
}
