/** What is compared for which procedures, told from their translations and the catalog. */
import { sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { SurrogateKey } from '../core/proof/compare/surrogates.ts';
import type { RenderedModel } from '../core/project/types.ts';
import type { Translation } from '../core/translate/types.ts';
import type { ColumnReference, CompareRequest } from './prove-compare-rows.ts';
import type { ProofContext } from './prove-context.ts';

/** What the comparison of some translations' databases takes, other than the databases. */
export function compareScope(
  context: ProofContext,
  translations: readonly Translation[],
  models: readonly RenderedModel[],
): Omit<CompareRequest, 'procedure' | 'model' | 'before' | 'round'> {
  const { catalog } = context;
  const built = translations.flatMap((translation) => translation.models);
  const writes = translations.flatMap((translation) => translation.writes);
  const logs = translations.flatMap((translation) => translation.logTables);
  return {
    always: [
      ...built.map((model) => model.table),
      ...models.filter(({ role }) => role === 'view').map(({ relation }) => relation),
    ],
    ignored: logs.filter((log) => !writes.some((table) => sameName(table, log))),
    onlyModel: models.filter(({ role }) => role === 'step').map(({ relation }) => relation),
    leftOut: built.flatMap(({ table, columns }) =>
      columns.flatMap(({ name, unprovable }) =>
        unprovable === null ? [] : [{ table, column: name }],
      ),
    ),
    surrogates: built.flatMap(({ table, columns, materialization }): SurrogateKey[] =>
      columns
        .filter((column) => column.surrogate)
        .map(({ name }) => ({ table, column: name, keeps: materialization !== 'table' })),
    ),
    foreignKeys: foreignKeysOf(context),
    keyOf: (name) => {
      const table = catalog.tables.find((candidate) => sameName(candidate.name, name));
      const keys = (table?.keys ?? []).filter(({ hasExpressions }) => !hasExpressions);
      return (keys.find(({ kind }) => kind === 'primary') ?? keys[0])?.columns ?? [];
    },
  };
}

function foreignKeysOf({ catalog }: ProofContext): ColumnReference[] {
  return catalog.tables.flatMap((table) =>
    table.foreignKeys.flatMap((key) =>
      key.columns.flatMap((column, index) => {
        const target = key.referencedColumns[index];
        if (target === undefined) return [];
        return [
          { table: table.name, column, references: { table: key.references, column: target } },
        ];
      }),
    ),
  );
}

/** Tables that a procedure is there for. */
export function tablesOf(translation: Translation): readonly QualifiedName[] {
  return [...translation.writes, ...translation.models.map((model) => model.table)];
}

export function translationsOf(
  { translations }: ProofContext,
  routines: readonly string[],
): readonly Translation[] {
  return routines.flatMap((routine) => translations.get(routine) ?? []);
}

/** A function whose rows are its whole effect: alone it is proven, and no other depends on it. */
export function onlyGivesRows({ models }: Translation): boolean {
  return models.length > 0 && models.every((model) => model.materialization === 'view');
}
