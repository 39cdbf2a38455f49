/** Functions among the outputs of a query that make several rows, or none, of one. */
import type { Node, SelectStmt } from 'libpg-query';
import { children, functionPath } from './tree.ts';

const BUILT_IN: ReadonlySet<string> = new Set(
  `generate_series generate_subscripts unnest regexp_matches regexp_split_to_table string_to_table
  json_array_elements json_array_elements_text json_each json_each_text json_object_keys
  json_populate_recordset json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each
  jsonb_each_text jsonb_object_keys jsonb_populate_recordset jsonb_to_recordset jsonb_path_query
  jsonb_path_query_tz`.split(/\s+/u),
);

/** `returnsSet` tells of functions that are not PostgreSQL's own. */
export function givesSeveral(
  select: SelectStmt,
  returnsSet: (path: readonly string[]) => boolean,
): boolean {
  const within = (node: object): boolean => {
    // A subquery among the outputs gives one value, whatever it calls.
    if ('SubLink' in node) return false;
    if ('FuncCall' in node) {
      const path = functionPath((node as Extract<Node, { FuncCall: unknown }>).FuncCall);
      if (BUILT_IN.has(path.at(-1) ?? '') || returnsSet(path)) return true;
    }
    return children(node).some((child) => within(child));
  };
  return (select.targetList ?? []).some((target) => within(target));
}
