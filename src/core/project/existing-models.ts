/** Models of an existing project: which tables they build, and which of them are ours. */
import { z } from 'zod';
import { yamlContent } from './existing-yaml.ts';
import type { SchemaFolder } from './existing-yaml.ts';
import { baseName } from './names.ts';
import type { ExistingProject, MigratedModel, ProjectFile } from './types.ts';

const origin = z.object({
  procedure: z.string().optional(),
  table: z.string(),
  step: z.boolean().default(false),
});

const modelsSchema = z.looseObject({
  models: z
    .array(
      z.looseObject({
        name: z.string(),
        config: z
          .looseObject({
            alias: z.string().optional(),
            schema: z.string().optional(),
            meta: z.looseObject({ sprocket: origin.optional() }).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});

type Described = NonNullable<z.infer<typeof modelsSchema>['models']>[number];

/** What YAML files say of models. */
export function describedModels(files: readonly ProjectFile[]): readonly Described[] {
  return files.flatMap(({ text }) => {
    const content = modelsSchema.safeParse(yamlContent(text));
    return content.success ? (content.data.models ?? []) : [];
  });
}

export function migratedModels(described: readonly Described[]): readonly MigratedModel[] {
  return described.flatMap(({ name, config }) => {
    const found = config?.meta?.sprocket;
    if (found === undefined) return [];
    const { procedure, table, step } = found;
    return [{ model: name, procedure: procedure ?? null, table, step }];
  });
}

/** Tables of models whose schema is told by their config block, their YAML or their folder. */
export function builtTables(
  models: readonly ProjectFile[],
  described: readonly Described[],
  folders: readonly SchemaFolder[],
): ExistingProject['builtTables'] {
  const byName = new Map(described.map((model) => [model.name, model]));
  return models.flatMap(({ path, text }) => {
    const model = baseName(path);
    const config = byName.get(model)?.config;
    const schema =
      setting(text, 'schema') ?? config?.schema ?? nearestSchema(path, folders)?.schema ?? null;
    const name = setting(text, 'alias') ?? config?.alias ?? model;
    return schema === null ? [] : [{ model, table: { schema, name } }];
  });
}

/** A string in the config block of a model. */
function setting(sql: string, name: string): string | null {
  const block = /\{\{-?\s*config\s*\(([\s\S]*?)\)\s*-?\}\}/u.exec(sql)?.[1] ?? '';
  const match = new RegExp(`(?:^|[\\s,(])${name}\\s*=\\s*(['"])(.*?)\\1`, 'u').exec(block);
  return match?.[2] ?? null;
}

function nearestSchema(path: string, folders: readonly SchemaFolder[]): SchemaFolder | null {
  const above = folders.filter(({ folder }) => path.startsWith(`${folder}/`));
  return above.toSorted((a, b) => b.folder.length - a.folder.length)[0] ?? null;
}
