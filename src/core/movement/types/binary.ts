/** Between two PostgreSQL servers rows travel in PostgreSQL's own binary form where every type allows it. */
import type { TableMapping } from '../model.ts';
import { movedColumns } from './map.ts';

/**
 * Types whose binary form is the same on every supported server, whatever its settings. Not here: arrays and
 * composite types (they hold the numbers of types), and money and xml, which depend on settings.
 */
const PORTABLE =
  /^(?:smallint|integer|bigint|boolean|real|double precision|numeric(?:\(\d+,\d+\))?|text|bytea|uuid|date|jsonb?|interval|inet|cidr|macaddr8?|(?:character varying|character|bit varying|bit)(?:\(\d+\))?|(?:time|timestamp)(?:\(\d\))? with(?:out)? time zone)$/;

/** True where the columns of both sides have one type each, and each of these types is portable. */
export function travelsBinary(mapping: TableMapping): boolean {
  return movedColumns(mapping).every(
    (column) => column.sourceType === column.targetType && PORTABLE.test(column.sourceType),
  );
}
