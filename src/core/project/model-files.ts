/** The two files of a model: its SQL, and the YAML that describes and tests it. */
import type { Table, View } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { identifier } from '../translate/identifiers.ts';
import type { PlannedModel } from './arrange.ts';
import { contractType } from './constraints.ts';
import type { Contract } from './constraints.ts';
import type { ProjectContext } from './context.ts';
import { columnTests, tableTests } from './data-tests.ts';
import { configBlock, escapeJinja } from './jinja.ts';
import { commentText, lineRange } from './layout.ts';
import type { QuerySql } from './query-sql.ts';
import { strategySettings } from './strategy.ts';
import type { Strategy } from './strategy.ts';
import { templateYaml } from './yaml-text.ts';

export interface ModelParts {
  readonly model: PlannedModel;
  readonly query: QuerySql;
  readonly strategy: Strategy;
  /** Null for views. */
  readonly contract: Contract | null;
  /** Jinja calls of `ref` or `source` that order the build and that the SQL itself lacks. */
  readonly dependsOn: readonly string[];
  readonly unitTests: readonly object[];
}

export function modelSql({ model, query, strategy, contract, dependsOn }: ModelParts): string {
  const { schema, name } = model.relation;
  const hooks = contract?.postHooks ?? [];
  const [first, ...rest] = hooks;
  const config = configBlock([
    ...strategySettings(strategy, query.dependencies.readsThis),
    ['schema', schema],
    ['alias', name],
    ...(first === undefined ? [] : [['post_hook', rest.length === 0 ? first : hooks] as const]),
  ]);
  const notes = [
    `-- ${escapeJinja(commentText(origin(model)))}`,
    ...dependsOn.map((call) => `-- depends_on: {{ ${call} }}`),
  ];
  return `${config}\n\n${notes.join('\n')}\n\n${query.text}\n`;
}

/** `From dw.load_sales(date), lines 3-20 of its body.` */
function origin(model: PlannedModel): string {
  const table = qualified(model.translated.table);
  if (model.routine === null) return `The view ${table}.`;
  const lines = lineRange(model.translated.lines);
  const state = model.role === 'step' ? `, a state of ${table} on the way` : '';
  return `From ${model.routine}, ${lines} of its body${state}.`;
}

export function modelYaml(context: ProjectContext, parts: ModelParts): string {
  const { model, contract, unitTests } = parts;
  const table = context.table(model.translated.table);
  const view = context.view(model.translated.table);
  const enforced = contract !== null && contract.columns.every(({ type }) => type !== null);
  const tests = table === null || model.role !== 'final' ? [] : tableTests(table);
  const constraints = enforced ? contract.constraints : [];
  return templateYaml({
    models: [
      {
        name: model.name,
        description: description(model, table ?? view),
        config: {
          ...(enforced ? { contract: { enforced: true } } : {}),
          meta: { sprocket: origins(model) },
        },
        ...(constraints.length === 0 ? {} : { constraints }),
        ...(tests.length === 0 ? {} : { data_tests: tests }),
        columns: columnsYaml(context, parts, enforced),
      },
    ],
    ...(unitTests.length === 0 ? {} : { unit_tests: unitTests }),
  });
}

function origins(model: PlannedModel): object {
  const { first, last } = model.translated.lines;
  const table = qualified(model.translated.table);
  if (model.routine === null) return { table };
  const step = model.role === 'step' ? { step: true } : {};
  return { procedure: model.routine, lines: `${first}-${last}`, table, ...step };
}

function description(model: PlannedModel, relation: Table | View | null): string {
  const comment = model.role === 'step' ? null : (relation?.comment ?? null);
  return comment === null ? origin(model) : `${comment.trim()}\n\n${origin(model)}`;
}

function columnsYaml(
  context: ProjectContext,
  { model, contract }: ModelParts,
  enforced: boolean,
): readonly object[] {
  const name = model.translated.table;
  const table = context.table(name);
  const known = [...(table?.columns ?? []), ...viewColumns(context, model)];
  return model.translated.columns.map((column, index) => {
    const contractColumn = contract?.columns[index];
    const constraints = enforced ? (contractColumn?.constraints ?? []) : [];
    const comment = known.find((candidate) => candidate.name === column.name)?.comment ?? null;
    const type = contractColumn?.type ?? contractType(column.type);
    const tests =
      table === null || model.role !== 'final' ? [] : columnTests(context, table, column.name);
    return {
      name: contractColumn?.name ?? column.name,
      ...(identifier(column.name) === column.name ? {} : { quote: true }),
      ...(type === null ? {} : { data_type: type }),
      ...(comment === null ? {} : { description: comment }),
      ...(constraints.length === 0 ? {} : { constraints }),
      ...(tests.length === 0 ? {} : { data_tests: tests }),
    };
  });
}

function viewColumns(context: ProjectContext, model: PlannedModel) {
  if (model.role !== 'view') return [];
  return context.view(model.relation)?.columns ?? [];
}
