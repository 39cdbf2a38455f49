/** What a person must know about the rendered project. */
import { qualified, sameName } from '../catalog/names.ts';
import type { UserType } from '../catalog/types.ts';
import type { PlannedModel } from './arrange.ts';
import type { ProjectContext } from './context.ts';
import type { Macro } from './macros.ts';
import type { ModelParts } from './model-files.ts';
import type { ProjectProblem } from './types.ts';

export interface ProblemInput {
  readonly context: ProjectContext;
  readonly parts: readonly ModelParts[];
  readonly macros: readonly Macro[];
  readonly domains: readonly UserType[];
}

export function problemsOf(input: ProblemInput): readonly ProjectProblem[] {
  const { context, parts, macros, domains } = input;
  return [
    ...parts.flatMap((part) => modelProblems(context, part)),
    ...existingProblems(context, macros),
    ...domains.map(({ name }): ProjectProblem => ({
      code: 'domain-type',
      subject: qualified(name),
      message: `Columns have the domain ${qualified(name)}, whose checks dbt can't create.`,
      advice: 'Create the domain in every database that the project is built in.',
    })),
  ];
}

function modelProblems(
  context: ProjectContext,
  { model, strategy, contract }: ModelParts,
): readonly ProjectProblem[] {
  const { table } = model.translated;
  const subject = qualified(table);
  const problems: ProjectProblem[] = [
    ...nameProblems(context, model),
    ...hiddenReadProblems(context, model),
  ];
  if (context.table(table)?.kind === 'foreign') {
    problems.push({
      code: 'foreign-table',
      subject,
      message: `${subject} is a foreign table, which dbt can't write.`,
      advice: 'Let dbt build a local table, and copy it to the other server in another way.',
    });
  }
  const typeless = contract?.columns.filter(({ type }) => type === null) ?? [];
  if (typeless.length > 0) {
    problems.push({
      code: 'no-contract',
      subject: model.name,
      message: `The types of ${typeless.map(({ name }) => name).join(', ')} are known only to the server, so the model has no contract.`,
      advice: 'After the first build, add data_type to its columns and contract: {enforced: true}.',
    });
  }
  const losesRows = strategy.kind === 'incremental' && strategy.name === 'replace_rows';
  const referrer = losesRows ? laterReferrer(context, model) : null;
  if (referrer !== null) {
    problems.push({
      code: 'referenced-before',
      subject,
      message: `${qualified(referrer.relation)} has a foreign key to ${subject} and is built after it. A row that leaves ${subject} while ${qualified(referrer.relation)} still has it stops the build.`,
      advice: `If the procedure removed such rows from both tables, drop the foreign key; the test of ${referrer.name} takes its place.`,
    });
  }
  return problems;
}

/** Reads inside functions: they find the table itself, whatever state the model should see. */
function hiddenReadProblems(context: ProjectContext, model: PlannedModel): ProjectProblem[] {
  return model.translated.buildAfter.flatMap((table): ProjectProblem[] => {
    if (context.arrangement.modelOf(model.position, table) !== null) return [];
    const reader = { position: model.position, model };
    const read = context.arrangement.resolve(reader, { kind: 'relation', table, state: 'current' });
    if (read.kind !== 'model' || read.model.role !== 'step') return [];
    return [
      {
        code: 'function-reads-step',
        subject: model.name,
        message: `A function in ${model.name} reads ${qualified(table)} between two procedures that write it, and would find it as the last run left it.`,
        advice: `Write the lookup as a join, so that the model reads ${read.model.name}.`,
      },
    ];
  });
}

/** Names of relations that dbt can't handle, however they are quoted. */
function nameProblems(context: ProjectContext, { relation }: PlannedModel): ProjectProblem[] {
  const subject = qualified(relation);
  const problems: ProjectProblem[] = [];
  if (/['"]/u.test(subject)) {
    problems.push({
      code: 'unsupported-name',
      subject,
      message: `dbt does not double the quotes inside ${subject}, so it can't read or build it.`,
      advice: 'Rename the schema or the table.',
    });
  }
  const twin = context.twin(relation);
  if (twin !== null) {
    problems.push({
      code: 'case-clash',
      subject,
      message: `dbt can't tell ${subject} from ${qualified(twin)}, which differs by case only.`,
      advice: 'Rename one of the two.',
    });
  }
  return problems;
}

/** A model of the same procedure whose table refers to this one's. */
function laterReferrer(context: ProjectContext, model: PlannedModel): PlannedModel | null {
  const siblings = context.arrangement
    .modelsAt(model.position)
    .filter((other) => other !== model && other.role === 'final');
  const referrer = siblings.find((other) =>
    context
      .table(other.relation)
      ?.foreignKeys.some(({ references }) => sameName(references, model.relation)),
  );
  return referrer ?? null;
}

function existingProblems(
  context: ProjectContext,
  macros: readonly Macro[],
): readonly ProjectProblem[] {
  const { existing } = context.options;
  if (existing === null) return [];
  const problems: ProjectProblem[] = [];
  const ours = new Map(
    context.arrangement.models.map((model) => [qualified(model.relation), model.name]),
  );
  for (const { model, table } of existing.builtTables) {
    const name = ours.get(qualified(table));
    if (name === undefined) continue;
    problems.push({
      code: 'table-built-twice',
      subject: qualified(table),
      message: `The models ${model} (there before) and ${name} (new) both build ${qualified(table)}.`,
      advice: `Remove one of them, or give ${model} another alias.`,
    });
  }
  const taken = new Set(existing.macroNames);
  for (const macro of macros) {
    const clash = macro.defines.find((name) => taken.has(name));
    if (clash === undefined) continue;
    problems.push({
      code: 'macro-clash',
      subject: clash,
      message: `The project has a macro ${clash} already; ${macro.file} would define it again.`,
      advice: `Rename the macro that was there before.`,
    });
  }
  if (existing.schemaMacro === 'other') {
    problems.push({
      code: 'schema-macro',
      subject: 'generate_schema_name',
      message:
        "The project's generate_schema_name changes the schema that a model names, so tables would not keep their schema.",
      advice:
        "Let it return custom_schema_name as it is where node.config.meta.get('sprocket') is set.",
    });
  }
  return problems;
}
