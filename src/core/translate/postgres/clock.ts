/** Functions that read the clock, and functions whose value no two calls share. */

const CLOCK_FUNCTIONS: Readonly<Record<string, string>> = {
  now: 'timestamp with time zone',
  transaction_timestamp: 'timestamp with time zone',
  statement_timestamp: 'timestamp with time zone',
  clock_timestamp: 'timestamp with time zone',
  timeofday: 'text',
};

const CLOCK_VALUES: Readonly<Record<string, string>> = {
  SVFOP_CURRENT_DATE: 'date',
  SVFOP_CURRENT_TIME: 'time with time zone',
  SVFOP_CURRENT_TIME_N: 'time with time zone',
  SVFOP_CURRENT_TIMESTAMP: 'timestamp with time zone',
  SVFOP_CURRENT_TIMESTAMP_N: 'timestamp with time zone',
  SVFOP_LOCALTIME: 'time without time zone',
  SVFOP_LOCALTIME_N: 'time without time zone',
  SVFOP_LOCALTIMESTAMP: 'timestamp without time zone',
  SVFOP_LOCALTIMESTAMP_N: 'timestamp without time zone',
};

const RANDOM_FUNCTIONS = new Set([
  'random',
  'random_normal',
  'gen_random_uuid',
  'uuid_generate_v1',
  'uuid_generate_v1mc',
  'uuid_generate_v4',
  'uuidv4',
  'uuidv7',
  'gen_random_bytes',
  'pg_backend_pid',
  'txid_current',
  'pg_current_xact_id',
]);

/** Type of a clock function's value; null where the function is no clock. */
export function clockFunctionType(name: string): string | null {
  return CLOCK_FUNCTIONS[name] ?? null;
}

/** Type of a clock keyword such as CURRENT_DATE; null for CURRENT_USER and its kin. */
export function clockValueType(operation: string | undefined): string | null {
  return CLOCK_VALUES[operation ?? ''] ?? null;
}

export function isRandom(name: string): boolean {
  return RANDOM_FUNCTIONS.has(name);
}
