/** Which models of a procedure can be tested on a few rows, and what they read. */
import type { Catalog, QualifiedName, View } from '../../catalog/types.ts';
import { qualified, sameName } from '../../catalog/names.ts';
import { calledFunctions } from '../../project/functions.ts';
import { queryTexts, relationParts } from '../../project/parts.ts';
import type { RelationPart } from '../../project/parts.ts';
import { viewParts } from '../../project/view-sql.ts';
import type { Query, TranslatedModel, Translation } from '../../translate/types.ts';

/**
 * Models whose rows follow from rows that can be given: no steps inside of a procedure, whose rows no
 * database holds, and nothing that reads tables past the model, through a function.
 */
export function testableModels(
  catalog: Catalog,
  { models }: Translation,
): readonly TranslatedModel[] {
  return models.filter((model) => {
    if (model.intermediate) return false;
    const parts = modelParts(model);
    const steps = models.filter(({ intermediate }) => intermediate);
    if (parts.some(({ table }) => steps.some((step) => sameName(step.table, table)))) return false;
    if (parts.some(({ table }) => isOutOfReach(catalog, table))) return false;
    const functions = calledFunctions(catalog, queriesOf(model).flatMap(queryTexts));
    return functions.every(({ volatility }) => volatility === 'immutable');
  });
}

/** Rows of these are not the database's own, or as old as their last refresh. */
function isOutOfReach({ tables, views }: Catalog, name: QualifiedName): boolean {
  return (
    tables.some((table) => table.kind === 'foreign' && sameName(table.name, name)) ||
    views.some((view) => view.materialized && sameName(view.name, name))
  );
}

/** What either form of a model reads, each relation in each of its states once. */
function modelParts(model: TranslatedModel): readonly RelationPart[] {
  const parts = queriesOf(model).flatMap(relationParts);
  return [
    ...new Map(parts.map((part) => [`${part.state} ${qualified(part.table)}`, part])).values(),
  ];
}

function queriesOf({ query, incremental }: TranslatedModel): readonly Query[] {
  return incremental === null ? [query] : [query, incremental.query];
}

/**
 * What models read, and what the views among it read in turn: which of the two a model's SQL names
 * depends on the project around it.
 */
export function givenRelations(
  catalog: Catalog,
  models: readonly TranslatedModel[],
): readonly Given[] {
  const found = new Map<string, Given>();
  const visit = ({ table, state }: Given): void => {
    const key = `${state} ${qualified(table)}`;
    if (found.has(key)) return;
    found.set(key, { table, state });
    for (const below of viewTables(catalog, table)) visit({ table: below, state: 'current' });
  };
  for (const model of models) for (const part of modelParts(model)) visit(part);
  return [...found.values()];
}

type Given = Pick<RelationPart, 'table' | 'state'>;

/** What a view reads; nothing where the name is no view's. */
function viewTables({ views }: Catalog, name: QualifiedName): readonly QualifiedName[] {
  const view: View | undefined = views.find((candidate) => sameName(candidate.name, name));
  if (view === undefined) return [];
  return viewParts(view).flatMap((part) => (part.kind === 'relation' ? [part.table] : []));
}
