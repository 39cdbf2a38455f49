/** Reads what matters of a dbt project that is there already. */
import { parse } from 'yaml';
import { z } from 'zod';
import { builtTables, describedModels, migratedModels } from './existing-models.ts';
import { schemaFolders, sourcesIn, yamlStyle } from './existing-yaml.ts';
import { baseName } from './names.ts';
import type { ExistingProject, ProjectFile } from './types.ts';

/** Folder, below the macro path, that holds only files of ours. */
export const MACRO_FOLDER = 'sprocket';
/** In every singular test that we write. */
export const TEST_MARK = 'Every row is a failure.';

const pathList = z.array(z.string()).min(1);
const projectSchema = z.looseObject({
  name: z.string(),
  'model-paths': pathList.default(['models']),
  'macro-paths': pathList.default(['macros']),
  'test-paths': pathList.default(['tests']),
  'seed-paths': pathList.default(['seeds']),
  'snapshot-paths': pathList.default(['snapshots']),
  vars: z.record(z.string(), z.unknown()).nullish(),
  models: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Reads a project from its files (paths relative to it); of these only SQL, Python, CSV and YAML
 * files matter. Throws where there is no readable `dbt_project.yml`.
 */
export function readExistingProject(files: readonly ProjectFile[]): ExistingProject {
  const projectFile = files.find(({ path }) => /^dbt_project\.ya?ml$/u.test(path));
  if (projectFile === undefined) throw new Error('there is no dbt_project.yml among the files');
  const project = projectSchema.parse(parse(projectFile.text, { version: '1.1' }));
  const below = (paths: readonly string[], extensions: RegExp) =>
    files.filter(
      ({ path }) => extensions.test(path) && paths.some((folder) => path.startsWith(`${folder}/`)),
    );
  const modelPath = project['model-paths'][0] ?? 'models';
  const macroPath = project['macro-paths'][0] ?? 'macros';
  const yamlFiles = below(project['model-paths'], /\.ya?ml$/u);
  const described = describedModels(yamlFiles);
  const migrated = migratedModels(described);
  const migratedNames = new Set(migrated.map(({ model }) => model));
  const models = below(project['model-paths'], /\.(?:sql|py)$/u).filter(
    ({ path }) => !migratedNames.has(baseName(path)),
  );
  const macros = below(project['macro-paths'], /\.sql$/u).filter(
    ({ path }) => !path.startsWith(`${macroPath}/${MACRO_FOLDER}/`),
  );
  const schemaMacro = schemaMacroKind(macros);
  const folders = schemaFolders(project.models?.[project.name], modelPath);
  return {
    name: project.name,
    projectFile,
    modelPath,
    macroPath,
    testPath: project['test-paths'][0] ?? 'tests',
    modelNames: [
      ...models,
      ...below(project['seed-paths'], /\.csv$/u),
      ...below(project['snapshot-paths'], /\.sql$/u),
    ].map(({ path }) => baseName(path)),
    migrated,
    testNames: below(project['test-paths'], /\.sql$/u)
      .filter(({ text }) => !text.includes(TEST_MARK))
      .map(({ path }) => baseName(path)),
    variables: plainVariables(project.vars ?? {}),
    macroNames: macros.flatMap(({ text }) => definedMacros(text)),
    schemaMacro,
    // Where schemas get a prefix, the tables that models build are known only to dbt.
    builtTables: schemaMacro === 'verbatim' ? builtTables(models, described, folders) : [],
    sources: yamlFiles.flatMap(({ text }) => sourcesIn(text)),
    schemaFolders: Object.fromEntries(folders.map(({ folder, schema }) => [schema, folder])),
    ...yamlStyle(yamlFiles),
    paths: files.map(({ path }) => path),
    selectorsFile: files.find(({ path }) => /^selectors\.ya?ml$/u.test(path)) ?? null,
  };
}

function plainVariables(vars: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)]));
}

const DEFINITION =
  /\{%-?\s*(?:(macro|test)\s+([A-Za-z_]\w*)|materialization\s+([A-Za-z_]\w*)\s*,\s*(?:default|adapter\s*=\s*['"](\w+)['"]))/gu;

/** Names of macros that a file defines, as dbt calls them inside. */
function definedMacros(text: string): readonly string[] {
  return [...text.matchAll(DEFINITION)].map(([, kind, name, materialization, adapter]) => {
    if (materialization !== undefined) {
      return `materialization_${materialization}_${adapter ?? 'default'}`;
    }
    return kind === 'test' ? `test_${name ?? ''}` : (name ?? '');
  });
}

function schemaMacroKind(macros: readonly ProjectFile[]): ExistingProject['schemaMacro'] {
  const file = macros.find(({ text }) => definedMacros(text).includes('generate_schema_name'));
  if (file === undefined) return 'none';
  const start = file.text.search(/macro\s+generate_schema_name/u);
  const end = file.text.indexOf('endmacro', start);
  const body = file.text.slice(start, end);
  const combines = /\}\}\s*_\s*\{\{|~\s*['"]_|default__generate_schema_name/u.test(body);
  return /\{\{[^}]*custom_schema_name/u.test(body) && !combines ? 'verbatim' : 'other';
}
