/** What stands on the branch of a run: made from what is recorded, and from nothing else. */
import { qualified } from '../catalog/names.ts';
import type { Catalog, QualifiedName } from '../catalog/types.ts';
import { parameterValues } from '../plan/parameter-values.ts';
import type { Plan } from '../plan/types.ts';
import { readExistingProject } from '../project/existing.ts';
import { Parameters } from '../project/parameters.ts';
import { renderProject } from '../project/render.ts';
import type {
  ExistingProject,
  ModelUnitTest,
  ProjectFile,
  ProjectOptions,
  RenderedProject,
} from '../project/types.ts';
import type { ProofVerdict } from '../proof/types.ts';
import { migrationMarkdown } from '../report/migration.ts';
import type { MigrationDecision, MigrationEntry } from '../report/migration-types.ts';
import type { Translation } from '../translate/types.ts';
import type { RunMember, RunMembers } from './run.ts';
import { isDone } from './state.ts';

/** Everything that is known of a run, as its tables hold it. */
export interface RunKnowledge {
  readonly plan: Plan;
  readonly catalog: Catalog;
  /** In execution order. */
  readonly members: RunMembers;
  /** By procedure; the latest of each. */
  readonly translations: ReadonlyMap<string, Translation>;
  readonly verdicts: ReadonlyMap<string, ProofVerdict>;
  readonly unitTests: ReadonlyMap<string, readonly ModelUnitTest[]>;
  readonly decisions: ReadonlyMap<string, MigrationDecision>;
  /** What people have in the folder of the dbt project, by path relative to it. */
  readonly peoples: ReadonlyMap<string, string>;
}

/** What it takes to tell people's models. */
export type PeoplesFiles = Pick<RunKnowledge, 'plan' | 'catalog' | 'peoples' | 'unitTests'>;

/** The dbt project of everything that is done. */
export function finishedProject(knowledge: RunKnowledge): RenderedProject {
  const { members, translations, catalog } = knowledge;
  const finished = [...members.values()].flatMap((member) => {
    const translation = isInProject(member) ? translations.get(member.id) : undefined;
    return translation === undefined ? [] : [translation];
  });
  const options = projectOptions(knowledge, finished);
  const project = renderProject({ catalog, translations: finished, options });
  const existing = options.existing === null ? withPeoplesModels(knowledge, project) : null;
  if (existing === null) return project;
  const beside = renderProject({
    catalog,
    translations: finished,
    options: { ...options, existing },
  });
  return { ...beside, files: [...frame(project, beside), ...beside.files].toSorted(byPath) };
}

/** A person's model in a project of ours: the table that it builds. */
export interface PeoplesModel {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly table: QualifiedName;
}

/** Models that people put on the branch, as far as their tables can be told. */
export function peoplesModels(knowledge: PeoplesFiles): readonly PeoplesModel[] {
  const options = projectOptions(knowledge, []);
  const project = renderProject({ catalog: knowledge.catalog, translations: [], options });
  const existing = options.existing ?? withPeoplesModels(knowledge, project);
  return (existing?.builtTables ?? []).flatMap(({ model, table }) => {
    const file = [...knowledge.peoples].find(([path]) => path.endsWith(`/${model}.sql`));
    return file === undefined ? [] : [{ name: model, path: file[0], text: file[1], table }];
  });
}

/** Our new project with people's models in it, as a project that is there already. */
function withPeoplesModels(
  { peoples }: PeoplesFiles,
  { files }: RenderedProject,
): ExistingProject | null {
  const own = [...peoples].map(([path, text]): ProjectFile => ({ path, text }));
  if (!own.some(({ path }) => path.startsWith(`${MODELS}/`))) return null;
  const projectFile = files.filter(({ path }) => path === 'dbt_project.yml');
  // Read as theirs: it says that a model's schema is the table's.
  const schemaMacro = files
    .filter(({ path }) => path === SCHEMA_MACRO)
    .map(({ text }) => ({ path: 'macros/generate_schema_name.sql', text }));
  return readExistingProject([...own, ...projectFile, ...schemaMacro]);
}

/** Files of a new project that are not models: adding to a project that is there leaves them out. */
function frame(project: RenderedProject, beside: RenderedProject): readonly ProjectFile[] {
  const there = new Set(beside.files.map(({ path }) => path));
  return project.files.filter(
    ({ path }) =>
      !there.has(path) && !path.startsWith(`${MODELS}/`) && !path.startsWith(`${TESTS}/`),
  );
}

const MODELS = 'models';
const TESTS = 'tests';
const SCHEMA_MACRO = 'macros/sprocket/generate_schema_name.sql';

function byPath(a: ProjectFile, b: ProjectFile): number {
  return a.path < b.path ? -1 : 1;
}

/** How the project of some translations is rendered, wherever it is built. */
export function projectOptions(
  { plan, peoples, unitTests }: Pick<RunKnowledge, 'plan' | 'peoples' | 'unitTests'>,
  translations: readonly Translation[],
): ProjectOptions {
  return {
    name: plan.settings.name,
    clock: 'live',
    parameters: planParameters(plan, translations),
    unitTests: translations.flatMap(({ routine }) => unitTests.get(routine) ?? []),
    freshness: [],
    moved: movedTables(plan, translations),
    existing: existingProject(peoples),
  };
}

/**
 * Where pipelines put the tables that models read as sources. One that a procedure writes is a
 * model, which stays in its place.
 */
function movedTables(plan: Plan, translations: readonly Translation[]): ProjectOptions['moved'] {
  const written = new Set(translations.flatMap(({ writes }) => writes.map(qualified)));
  return new Map(
    plan.pipelines
      .filter(({ include, id }) => include && !written.has(id))
      .map(({ id, target }) => [id, target]),
  );
}

/** What the plan gives for the parameters of procedures, by procedure and parameter. */
export function planParameters(
  plan: Plan,
  translations: readonly Translation[],
): ProjectOptions['parameters'] {
  const planned = new Map(plan.procedures.map((procedure) => [procedure.id, procedure]));
  return Object.fromEntries(
    translations.flatMap(({ routine, parameters }) => {
      const procedure = planned.get(routine);
      return procedure === undefined
        ? []
        : [[routine, parameterValues(procedure, plan.settings, parameters).values]];
    }),
  );
}

function existingProject(peoples: ReadonlyMap<string, string>): ExistingProject | null {
  const files = [...peoples].map(([path, text]): ProjectFile => ({ path, text }));
  return files.some(({ path }) => /^dbt_project\.ya?ml$/u.test(path))
    ? readExistingProject(files)
    : null;
}

/** A manual model is a person's file: it is there without us. */
function isInProject({ state }: RunMember): boolean {
  return isDone(state.status) && state.status !== 'Skipped' && state.route === 'automatic';
}

/** `MIGRATION.md`. */
export function migrationFile(knowledge: RunKnowledge, project: RenderedProject): string {
  const { plan, members, translations } = knowledge;
  const inProject = [...members.values()].filter(isInProject);
  const rendered = inProject.flatMap(({ id }) => translations.get(id) ?? []);
  const { variables } = new Parameters(rendered, projectOptions(knowledge, rendered));
  return migrationMarkdown(
    {
      plan: plan.settings.name,
      project: plan.settings.production.project,
      maxRows: plan.settings.proof.maxRows,
      entries: plan.procedures.flatMap(({ id }) => {
        const member = members.get(id);
        return member === undefined ? [] : [migrationEntry(member, knowledge, project)];
      }),
      notIncluded: plan.procedures
        .filter(({ include }) => !include)
        .map(({ id, ratingReasons }) => ({ name: id, reason: ratingReasons })),
      variables,
      problems: project.problems,
    },
    Number.POSITIVE_INFINITY,
  );
}

function migrationEntry(
  { id, state }: RunMember,
  { translations, verdicts, decisions }: RunKnowledge,
  project: RenderedProject,
): MigrationEntry {
  const decided = isPersons(state.status) || state.route === 'manual';
  return {
    name: id,
    translation: translations.get(id) ?? null,
    verdict: verdicts.get(id) ?? null,
    decision: decided ? (decisions.get(id) ?? null) : null,
    models: project.models
      .filter(({ routine }) => routine === id)
      .map(({ name, path }) => ({ name, path })),
  };
}

function isPersons(status: RunMember['state']['status']): boolean {
  return (
    status === 'Skipped' || status === 'Completed (accepted)' || status === 'Completed (manual)'
  );
}
