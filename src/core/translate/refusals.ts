/** Every reason for which the translator refuses, with what a person can do about it. */
import type { Refusal } from './types.ts';

/** Advice by code. The list is closed: a refusal with another code does not compile. */
const ADVICE = {
  'parse-error': 'Correct the syntax, or write the model by hand and mark the procedure `manual`.',
  language: 'Rewrite the routine in SQL or PL/pgSQL, or write the model by hand (`manual`).',
  'trigger-function':
    'A trigger has no rows of its own to model. Move its effect into the procedure that writes the table, or skip it.',
  'unknown-relation': 'Create the table before the run, or correct the name or the search_path.',
  'unknown-name': 'Qualify the name with its table, or declare the variable.',
  'missing-column': 'The procedure and the table do not fit together: correct one of them.',
  'dynamic-sql': 'Write the statement without EXECUTE, or make its text constant.',
  'parameter-in-name': 'Write one procedure per table, or make the table name constant.',
  cursor: 'Write the loop as FOR … IN query LOOP without moving the cursor by hand.',
  loop: 'Write the loop as one INSERT, UPDATE or MERGE over the whole set.',
  'loop-order':
    'Say in the query which row wins (ROW_NUMBER, DISTINCT ON with ORDER BY), then write by key.',
  'loop-carried': 'Write the running value as a window function over a total order.',
  'exception-handler':
    'Check the condition before the write instead of catching the error, or move the handler out.',
  'handler-value':
    'Check the condition before the write instead of catching the error, and set the value there.',
  volatile:
    'Compute the value where it is deterministic, for example from a hash of the key, or load it as a column of the source.',
  sequence: 'Let the column take its value from an identity or serial default.',
  copy: 'Load the file with a pipeline or a seed before the run; dbt does not read or write files.',
  external: 'Load the rows with a pipeline first; the model then reads them as a source.',
  ddl: 'Move the statement out of the procedure; dbt makes and changes the tables of its models.',
  'several-unique-keys': 'Name the conflict target: ON CONFLICT (columns).',
  'trigger-on-table':
    'A trigger changes rows behind the statement. Move what it does into the procedure.',
  'shared-rows':
    'Read and write the rows by one name in a procedure: the partitioned table, or one partition.',
  'foreign-key-action':
    'Delete or update the referring rows in the procedure itself, so that every change can be seen.',
  'session-setting':
    'Write the time zone, date style or search path into the statement: AT TIME ZONE, to_char, schema.table.',
  'system-column': 'Use a key of the table: ctid and its kin name a place on disk, not a row.',
  'function-side-effect':
    'Call the function in a statement of its own (PERFORM, CALL), not inside a query.',
  'function-reads-written':
    'Write the lookup as a join: the function reads a table that this procedure changes.',
  'recursive-call': 'Write the recursion as a recursive CTE.',
  call: 'Include the called routine in the plan, or correct its name.',
  'call-in-plan':
    'Leave the called routine out of the plan, so that what it does becomes part of this one, or move the condition into it.',
  'former-and-final':
    'Split the procedure so that each table reads either the former or the new state of the other.',
  'transaction-control': 'Remove the ROLLBACK; a failed model leaves its table as it was.',
  raise: 'Write the check as a condition over tables before the first write.',
  'unprovable-count': 'Take the number from the table itself instead of from the last statement.',
  statement:
    'Write the model by hand (`manual`), or rewrite the statement with INSERT, UPDATE, DELETE or MERGE.',
  'return-value': 'Only tables and rows become models; write the returned value to a table.',
  'too-large': 'Split the procedure.',
} as const;

export type RefusalCode = keyof typeof ADVICE;

/** Where a refusal points: line of the body, and the author's text there. */
export interface Place {
  readonly line: number;
  readonly construct: string;
}

/** Thrown inside the translator; never leaves it. */
export class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = 'RefusalError';
    this.refusal = refusal;
  }
}

export function makeRefusal(code: RefusalCode, place: Place, message: string): Refusal {
  return {
    code,
    line: place.line,
    construct: shorten(place.construct),
    message,
    advice: ADVICE[code],
  };
}

/** Refuses what is being translated. */
export function refuse(code: RefusalCode, place: Place, message: string): never {
  throw new RefusalError(makeRefusal(code, place, message));
}

/** One line of at most 120 characters. */
export function shorten(construct: string): string {
  const line = construct.replaceAll(/\s+/gu, ' ').trim();
  return line.length <= 120 ? line : `${line.slice(0, 117)}...`;
}
