/** Which rows of a table belong to rows of others: those with the same values where code joins them. */
import type { Column, Table } from '../../catalog/types.ts';
import { qualified } from '../../catalog/names.ts';
import { columnPlace } from '../hints/places.ts';
import type { HintBook } from '../hints/places.ts';
import { quoteIdentifier, quoteLiteral, quoteName } from '../names.ts';
import type { MadeRow } from '../rows/rows.ts';

/** Rows by `schema.name` of their table. */
export type RowsByTable = ReadonlyMap<string, readonly MadeRow[]>;

/** Values that a column of a table should have to belong to rows that are known. */
export interface Link {
  readonly column: Column;
  readonly values: ReadonlySet<string>;
}

/** What the columns of `table` have in common with the rows chosen so far. */
function linksOf(
  book: HintBook,
  table: Table,
  chosen: readonly { readonly table: Table; readonly rows: readonly MadeRow[] }[],
): readonly Link[] {
  return table.columns.flatMap((column) => {
    const root = book.rootOf(columnPlace(table.name, column.name));
    const values = new Set(
      chosen.flatMap((other) =>
        other.table.columns
          .filter(({ name }) => book.rootOf(columnPlace(other.table.name, name)) === root)
          .flatMap(({ name }) => other.rows.flatMap((row) => comparable(column, row[name]))),
      ),
    );
    return values.size === 0 ? [] : [{ column, values }];
  });
}

/** Days meet moments by their day. */
function comparable({ baseType }: Column, value: string | null | undefined): readonly string[] {
  if (value == null) return [];
  return [isTemporal(baseType) ? value.slice(0, DAY_LENGTH) : value];
}

const DAY_LENGTH = 'YYYY-MM-DD'.length;

function isTemporal(baseType: string): boolean {
  return baseType === 'date' || baseType.startsWith('timestamp');
}

/**
 * Rows as text, those first that meet the most links, and then in an order that is the same in every
 * copy of the data. Only rows that meet one, where there are any. `condition` is SQL over `r`.
 */
export function rowsSql(
  table: Table,
  links: readonly Link[],
  limit: number,
  condition = 'true',
): string {
  const columns = table.columns
    .filter(({ generatedSql }) => generatedSql === null)
    .map(({ name }) => `r.${quoteIdentifier(name)}::text AS ${quoteIdentifier(name)}`);
  const met = links.map(({ column, values }) => {
    const text = `r.${quoteIdentifier(column.name)}::text`;
    const compared = isTemporal(column.baseType) ? `left(${text}, ${DAY_LENGTH})` : text;
    return `coalesce(${compared} IN (${[...values].map(quoteLiteral).join(', ')}), false)`;
  });
  const rank = met.length === 0 ? [] : [`${met.map((one) => `(${one})::int`).join(' + ')} DESC`];
  const wanted = met.length === 0 ? condition : `(${condition}) AND (${met.join(' OR ')})`;
  return `SELECT ${columns.join(', ')} FROM ${quoteName(table.name)} r WHERE ${wanted}
    ORDER BY ${[...rank, ...orderOf(table)].join(', ')} LIMIT ${limit}`;
}

/** The newest keys first. Without a key, an order without meaning, to which times don't add. */
function orderOf(table: Table): readonly string[] {
  const keys = table.keys.filter(({ hasExpressions }) => !hasExpressions);
  const key = keys.find(({ kind }) => kind === 'primary') ?? keys[0];
  if (key !== undefined) return key.columns.map((name) => `r.${quoteIdentifier(name)} DESC`);
  const lasting = table.columns
    .filter(({ baseType, sequence }) => sequence === null && !baseType.startsWith('timestamp'))
    .map(({ name }) => `r.${quoteIdentifier(name)}::text`);
  return lasting.length === 0
    ? ['r::text']
    : [`md5(concat_ws('|', ${lasting.join(', ')}))`, 'r::text'];
}

/** Tables in the order in which they are best chosen: each by what is known before it. */
export function nextTable(
  book: HintBook,
  left: readonly Table[],
  chosen: readonly { readonly table: Table; readonly rows: readonly MadeRow[] }[],
): { readonly table: Table; readonly links: readonly Link[] } | null {
  const offers = left.map((table) => ({ table, links: linksOf(book, table, chosen) }));
  const [best] = offers.toSorted(
    (a, b) =>
      b.links.length - a.links.length ||
      (qualified(a.table.name) < qualified(b.table.name) ? -1 : 1),
  );
  return best ?? null;
}
