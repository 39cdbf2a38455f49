/**
 * How dbt brings a model's rows into its table.
 *
 * Tables that exist are kept in place, and only their rows change: dbt's `table` materialization
 * would put a new table there, without the grants, indexes and identity of the old one, and drop
 * the views and foreign keys that hang on it. docs/decisions says more.
 */
import type { Table } from '../catalog/types.ts';
import { identifier } from '../translate/identifiers.ts';
import type { PlannedModel } from './arrange.ts';
import type { ProjectContext } from './context.ts';
import type { JinjaValue } from './jinja.ts';

export type Strategy =
  | { readonly kind: 'table' }
  | { readonly kind: 'view' }
  | {
      readonly kind: 'incremental';
      /** dbt's own `append` and `merge`, or one of the project's macros. */
      readonly name: 'append' | 'merge' | 'append_rows' | 'merge_rows' | 'replace_rows';
      /** Columns that are unique and not null; empty where there are none. */
      readonly uniqueKey: readonly string[];
    };

/** `MERGE` came with PostgreSQL 15. */
const FIRST_VERSION_WITH_MERGE = 15;

export function chooseStrategy(context: ProjectContext, model: PlannedModel): Strategy {
  const { translated } = model;
  if (model.role === 'view' || translated.materialization === 'view') return { kind: 'view' };
  const table = context.table(translated.table);
  if (model.role === 'step' || table === null) return { kind: 'table' };
  const { incremental } = translated;
  if (incremental === null || model.inChain) {
    return { kind: 'incremental', name: 'replace_rows', uniqueKey: rowKey(table) };
  }
  const stock = stockFits(table);
  if (incremental.strategy === 'append') {
    return { kind: 'incremental', name: stock ? 'append' : 'append_rows', uniqueKey: [] };
  }
  const merge = stock && Number.parseInt(context.catalog.version, 10) >= FIRST_VERSION_WITH_MERGE;
  return {
    kind: 'incremental',
    name: merge ? 'merge' : 'merge_rows',
    uniqueKey: incremental.uniqueKey,
  };
}

/** dbt's macros write every column, which PostgreSQL refuses for GENERATED ALWAYS ones. */
function stockFits(table: Table): boolean {
  return table.columns.every(
    ({ identity, generatedSql, name }) =>
      identity !== 'always' && generatedSql === null && !name.includes('"'),
  );
}

/** A key by which every row of the table can be told: the primary key, or one as good. */
function rowKey(table: Table): readonly string[] {
  const nullable = new Set(
    table.columns.filter((column) => column.nullable).map((column) => column.name),
  );
  const usable = table.keys.filter(
    (key) =>
      !key.hasExpressions &&
      key.predicateSql === null &&
      (key.kind === 'primary' || key.columns.every((column) => !nullable.has(column))),
  );
  return (usable.find((key) => key.kind === 'primary') ?? usable[0])?.columns ?? [];
}

/** Settings for the config block; `readsThis`: the model's SQL reads its own former rows. */
export function strategySettings(
  strategy: Strategy,
  readsThis: boolean,
): readonly (readonly [string, JinjaValue])[] {
  if (strategy.kind === 'table') return [['materialized', 'table']];
  if (strategy.kind === 'view') return [['materialized', 'view_in_place']];
  return [
    ['materialized', 'incremental'],
    ['incremental_strategy', strategy.name],
    ...(strategy.uniqueKey.length === 0
      ? []
      : [['unique_key', strategy.uniqueKey.map(identifier)] as const]),
    ['on_schema_change', 'append_new_columns'],
    // The rows that are there are the only copy of the table's history.
    ...(readsThis ? [['full_refresh', false] as const] : []),
  ];
}
