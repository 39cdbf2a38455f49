/** The project writer: translations in, the files of a dbt project out. */
import { arrange } from './arrange.ts';
import type { PlannedModel } from './arrange.ts';
import { buildGraph, dependsOnCalls } from './build-order.ts';
import type { Queries } from './build-order.ts';
import { contractOf } from './constraints.ts';
import type { Contract } from './constraints.ts';
import { createContext } from './context.ts';
import type { ProjectContext } from './context.ts';
import { MACRO_FOLDER } from './existing.ts';
import {
  calledFunctions,
  createObjectsMacro,
  CREATE_OBJECTS_CALL,
  usedTypes,
} from './functions.ts';
import type { BuildGraph } from './graph.ts';
import { housekeepingFiles } from './housekeeping.ts';
import { macrosFor } from './macro-choice.ts';
import type { Macro } from './macros.ts';
import { modelSql, modelYaml } from './model-files.ts';
import type { ModelParts } from './model-files.ts';
import { safeName, safePath } from './names.ts';
import { Parameters } from './parameters.ts';
import { builtQuery, queryTexts } from './parts.ts';
import { problemsOf } from './problems.ts';
import { addToProjectFile, newProjectFile } from './project-file.ts';
import { renderQuery } from './query-sql.ts';
import { selectorsFile, selectorsOf } from './selectors.ts';
import { planTests, testFile } from './singular-tests.ts';
import type { PlannedTest } from './singular-tests.ts';
import { Sources } from './sources.ts';
import { chooseStrategy } from './strategy.ts';
import type { ModelUnitTest, ProjectFile, ProjectInput, RenderedProject } from './types.ts';
import { unitTestYaml } from './unit-tests.ts';

/**
 * Renders the whole project. The parser must be loaded (`loadParser`). Equal input gives equal
 * files. Throws `ProjectError` where the translations contradict each other.
 */
export function renderProject(input: ProjectInput): RenderedProject {
  const { catalog, translations, options } = input;
  const context = createContext({
    catalog,
    options,
    arrangement: arrange(catalog, translations, options.existing),
    sources: new Sources(options.existing, options.moved),
    parameters: new Parameters(translations, options),
  });
  const { models } = context.arrangement;
  const queries: Queries = new Map(models.map((model) => [model, modelQuery(context, model)]));
  const tests = planTests(context, translations);
  const graph = buildGraph(context, queries, tests);
  const contracts = contractsOf(context, models, graph);
  const ordered = graph.order(models);
  const referenced = new Map(
    [...contracts].map(([model, contract]) => [model, contract.references]),
  );
  const dependsOn = dependsOnCalls(context, queries, tests, graph, referenced);
  const parts = ordered.flatMap((model): ModelParts[] => {
    const query = queries.get(model);
    if (query === undefined) return [];
    const waits = dependsOn.get(model) ?? [];
    const unitTests = unitTestsOf(options.unitTests, model).map((test) =>
      unitTestYaml(context, model, query, waits, test),
    );
    const strategy = chooseStrategy(context, model);
    const contract = contracts.get(model) ?? null;
    return [{ model, query, strategy, contract, dependsOn: waits, unitTests }];
  });

  const folderOf = modelFolders(input);
  const modelFiles = parts.flatMap((part) => filesOf(context, part, folderOf));
  const testFolder = options.existing?.testPath ?? 'tests';
  const testFiles = tests.map((test) => testFile(test, testFolder));
  const objects = neededObjects(context, tests);
  const macros = [
    ...macrosFor(
      parts,
      [...modelFiles, ...testFiles].map(({ text }) => text),
      options.existing,
    ),
    ...objects.macros,
  ];
  const projectFiles = projectFile(context, objects.macros.length > 0);
  const selectors = selectorsOf(translations, models, tests);
  const selectorFile = selectorsFile(selectors, options.existing?.selectorsFile ?? null);
  const files = [
    ...modelFiles,
    ...testFiles,
    ...context.sources.files(catalog, options, folderOf),
    ...macros.map((macro) => macroFile(macro, options.existing?.macroPath ?? 'macros')),
    ...projectFiles,
    ...(selectorFile === null ? [] : [selectorFile]),
    ...(options.existing === null ? housekeepingFiles() : []),
  ];
  return {
    files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    models: ordered.map((model) => ({
      name: model.name,
      path: modelPath(model, folderOf),
      routine: model.routine,
      relation: model.relation,
      table: model.translated.table,
      role: model.role,
    })),
    tests: tests.map(({ routine, name }) => ({ routine, name })),
    problems: problemsOf({ context, parts, macros, domains: objects.domains }),
  };
}

function modelQuery(context: ProjectContext, model: PlannedModel) {
  const query = builtQuery(model.translated, model.inChain);
  return renderQuery(context, { position: model.position, model }, model.routine ?? '', query);
}

/** Contracts of the models that are tables. Their foreign keys become part of the graph. */
function contractsOf(
  context: ProjectContext,
  models: readonly PlannedModel[],
  graph: BuildGraph,
): ReadonlyMap<PlannedModel, Contract> {
  const contracts = new Map<PlannedModel, Contract>();
  for (const model of models) {
    if (chooseStrategy(context, model).kind === 'view') continue;
    // A key to a table that is built later would turn the order round.
    const mayReference = (target: PlannedModel) =>
      target.position <= model.position && !graph.waitsFor(target, model);
    const contract = contractOf(context, model, mayReference);
    for (const target of contract.references) graph.add(target, model);
    contracts.set(model, contract);
  }
  return contracts;
}

function unitTestsOf(
  tests: readonly ModelUnitTest[],
  { routine, translated }: PlannedModel,
): readonly ModelUnitTest[] {
  return tests.filter(
    (test) =>
      test.routine === routine &&
      test.table.schema === translated.table.schema &&
      test.table.name === translated.table.name,
  );
}

/** Folder of a schema's models: the one that the project has for it, else one of its name. */
function modelFolders({ options: { existing } }: ProjectInput): (schema: string) => string {
  return (schema) =>
    existing?.schemaFolders[schema] ?? safePath(existing?.modelPath ?? 'models', safeName(schema));
}

function modelPath(model: PlannedModel, folderOf: (schema: string) => string): string {
  return safePath(folderOf(model.relation.schema), `${model.name}.sql`);
}

function filesOf(
  context: ProjectContext,
  parts: ModelParts,
  folderOf: (schema: string) => string,
): readonly ProjectFile[] {
  const { name, relation } = parts.model;
  const { existing } = context.options;
  const yaml = `${existing?.yamlUnderscore ? '_' : ''}${name}.${existing?.yamlExtension ?? 'yml'}`;
  return [
    { path: modelPath(parts.model, folderOf), text: modelSql(parts) },
    { path: safePath(folderOf(relation.schema), yaml), text: modelYaml(context, parts) },
  ];
}

function macroFile({ file, text }: Macro, macroPath: string): ProjectFile {
  return { path: safePath(macroPath, MACRO_FOLDER, file), text };
}

/** Functions and types that the target database may lack. */
function neededObjects(context: ProjectContext, tests: readonly PlannedTest[]) {
  const { catalog, arrangement } = context;
  const { models } = arrangement;
  const queries = [
    ...models.map((model) => builtQuery(model.translated, model.inChain)),
    ...tests.map(({ translated }) => translated.query),
  ];
  const constraints = models.flatMap((model) => {
    const table = context.table(model.translated.table);
    const defaults = (table?.columns ?? []).map(({ defaultSql }) => defaultSql ?? '');
    return [...defaults, ...(table?.checks ?? []).map(({ sql }) => sql)];
  });
  const functions = calledFunctions(catalog, [...queries.flatMap(queryTexts), ...constraints]);
  const columns = models.flatMap(({ translated }) => translated.columns);
  const types = usedTypes(
    catalog,
    columns.flatMap(({ type }) => (type === null ? [] : [type])),
  );
  const macros =
    functions.length + types.creatable.length === 0
      ? []
      : [createObjectsMacro(functions, types.creatable)];
  return { macros, domains: types.domains };
}

function projectFile(context: ProjectContext, createsObjects: boolean): readonly ProjectFile[] {
  const { options, parameters } = context;
  const keys = {
    variables: parameters.variables,
    onRunStart: createsObjects ? [CREATE_OBJECTS_CALL] : [],
  };
  if (options.existing === null) return [newProjectFile(options.name, keys)];
  const changed = addToProjectFile(options.existing.projectFile, keys);
  return changed === null ? [] : [changed];
}
