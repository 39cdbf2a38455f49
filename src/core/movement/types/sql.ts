/** SQL templates that give the same text for the same value in both dialects. */
import type { MovedColumn, Refusal } from '../model.ts';

/** Sign, digits and exponent of a float: the two servers print `1e20` and `1e+20`, `1e15` and `1000000000000000`. */
export const PG_FLOAT = pgFloat('{c}::float8');
export const MYSQL_FLOAT = mysqlFloat('CAST({c} AS DOUBLE)');

function pgFloat(value: string): string {
  const text = `(${value})::text`;
  const mantissa = `replace(split_part(${text}, 'e', 1), '-', '')`;
  const digits = `replace(${mantissa}, '.', '')`;
  const stripped = `ltrim(${digits}, '0')`;
  const exponent = `coalesce(nullif(split_part(${text}, 'e', 2), '')::int, 0)`;
  const point = `(length(split_part(${mantissa}, '.', 1)) - length(${digits}) + length(${stripped}) + ${exponent})`;
  return (
    `CASE WHEN {c} IS NULL THEN NULL WHEN ${stripped} = '' THEN '0' ` +
    `ELSE CASE WHEN {c} < 0 THEN '-' ELSE '' END || rtrim(${stripped}, '0') || 'e' || ${point}::text END`
  );
}

function mysqlFloat(value: string): string {
  const text = `CAST(${value} AS CHAR)`;
  const mantissa = `REPLACE(SUBSTRING_INDEX(${text}, 'e', 1), '-', '')`;
  const digits = `REPLACE(${mantissa}, '.', '')`;
  const stripped = `TRIM(LEADING '0' FROM ${digits})`;
  const exponent = `IF(LOCATE('e', ${text}) > 0, CAST(SUBSTRING_INDEX(${text}, 'e', -1) AS SIGNED), 0)`;
  const point =
    `(CAST(LENGTH(SUBSTRING_INDEX(${mantissa}, '.', 1)) AS SIGNED) - CAST(LENGTH(${digits}) AS SIGNED)` +
    ` + CAST(LENGTH(${stripped}) AS SIGNED) + ${exponent})`;
  return (
    `CASE WHEN {c} IS NULL THEN NULL WHEN ${stripped} = '' THEN '0' ELSE ` +
    `CONCAT(IF({c} < 0, '-', ''), TRIM(TRAILING '0' FROM ${stripped}), 'e', ${point}) END`
  );
}

/** Text of a number or time without the zeros that end its fraction. */
export const MYSQL_TRIMMED = `IF(LOCATE('.', {c}) > 0, TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST({c} AS CHAR))), CAST({c} AS CHAR))`;
export const PG_NUMERIC_TRIMMED = `trim_scale({c})::text`;

export const PG_MICROSECONDS = `to_char({c}, 'YYYY-MM-DD HH24:MI:SS.US')`;
export const PG_UTC_MICROSECONDS = `to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;
export const MYSQL_MICROSECONDS = `CAST(CAST({c} AS DATETIME(6)) AS CHAR)`;

export const PG_HEX = `encode({c}, 'hex')`;
export const MYSQL_HEX = `LOWER(HEX({c}))`;
export const MYSQL_TEXT = `CONVERT({c} USING utf8mb4)`;

/** Character sets of MySQL in which every text that a column can hold has its characters. */
const WHOLE = /^(?:utf|ucs|gb18030|latin1$|binary$)/;

/** Where bytes stand for no character the server puts a question mark, and says nothing. */
export function unreadable({ charset }: MovedColumn): readonly Refusal[] {
  if (charset === null || WHOLE.test(charset)) return [];
  const letters = (text: string) => `CHAR_LENGTH(REPLACE(${text}, '?', ''))`;
  return [
    {
      sql: `${MYSQL_TEXT} LIKE '%?%' AND ${letters(MYSQL_TEXT)} <> ${letters('{c}')}`,
      values: `bytes that stand for no character in ${charset}`,
      silent: true,
    },
  ];
}
