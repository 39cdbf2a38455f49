/** Settings of a session that change what statements mean, and not only how fast they are. */

const MEANINGFUL: ReadonlySet<string> = new Set([
  'timezone',
  'time zone',
  'datestyle',
  'intervalstyle',
  'search_path',
  'extra_float_digits',
  'bytea_output',
  'xmlbinary',
  'xmloption',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'array_nulls',
  'transform_null_equals',
  'standard_conforming_strings',
  'session_replication_role',
  'role',
]);

export function isMeaningful(setting: string): boolean {
  return MEANINGFUL.has(setting.toLowerCase());
}
