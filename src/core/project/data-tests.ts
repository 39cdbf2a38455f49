/** dbt data tests that say what the table's constraints say. */
import type { ForeignKey, Table, UniqueKey } from '../catalog/types.ts';
import { identifier } from '../translate/identifiers.ts';
import { checkedValues, enumValues } from './accepted-values.ts';
import type { AcceptedValues } from './accepted-values.ts';
import type { ProjectContext } from './context.ts';
import { refCall, sourceCall } from './relation-sql.ts';

export type DataTest = string | Readonly<Record<string, object>>;

/** Tests of one column, in the order in which dbt people list them. */
export function columnTests(
  context: ProjectContext,
  table: Table,
  column: string,
): readonly DataTest[] {
  const found = table.columns.find(({ name }) => name === column);
  if (found === undefined) return [];
  const unique = table.keys.filter(({ columns }) => columns.length === 1 && columns[0] === column);
  return [
    ...(found.nullable ? [] : ['not_null']),
    ...uniqueTests(unique),
    ...acceptedValues(context, table, column).map(acceptedValuesTest),
    ...table.foreignKeys
      .filter(({ columns }) => columns.length === 1 && columns[0] === column)
      .map((key) => relationshipTest(context, key)),
  ];
}

/** Tests over several columns. */
export function tableTests(table: Table): readonly DataTest[] {
  return table.keys
    .filter(({ columns, hasExpressions }) => columns.length > 1 && !hasExpressions)
    .map((key) => ({
      sprocket_unique_together: {
        arguments: { columns: key.columns.map(identifier) },
        ...where(key),
      },
    }));
}

/** dbt refuses the same test twice, and one without a condition says more than one with it. */
function uniqueTests(keys: readonly UniqueKey[]): readonly DataTest[] {
  if (keys.some(({ predicateSql }) => predicateSql === null)) return ['unique'];
  const [first] = keys;
  return first === undefined ? [] : [{ unique: where(first) }];
}

function where(key: UniqueKey): object {
  return key.predicateSql === null ? {} : { config: { where: key.predicateSql } };
}

function acceptedValues(
  context: ProjectContext,
  table: Table,
  column: string,
): readonly AcceptedValues[] {
  const found = table.columns.find(({ name }) => name === column);
  const labels = found === undefined ? null : enumValues(context.catalog, found);
  if (labels !== null) return [{ column, values: labels }];
  const checked = table.checks.flatMap(checkedValues).filter((values) => values.column === column);
  return checked.slice(0, 1);
}

function acceptedValuesTest({ values }: AcceptedValues): DataTest {
  const numeric = values.every((value) => typeof value === 'number');
  return {
    accepted_values: { arguments: { values, ...(numeric ? { quote: false } : {}) } },
  };
}

function relationshipTest(context: ProjectContext, key: ForeignKey): DataTest {
  const target = context.arrangement.builderOf(key.references);
  const to = target === null ? sourceCall(context.sources, key.references) : refCall(target.name);
  const field = identifier(key.referencedColumns[0] ?? '');
  return { relationships: { arguments: { to, field } } };
}
