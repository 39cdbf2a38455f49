/** What is changed in a sandbox before a proof, so that both sides have one clock and no silence. */
import type { Catalog, QualifiedName, Routine } from '../../catalog/types.ts';
import { routineId } from '../../catalog/names.ts';
import type { Translation } from '../../translate/types.ts';
import { PROOF_SCHEMA, quoteIdentifier, quoteLiteral, quoteName } from '../names.ts';
import { withCountedBranches } from './branches.ts';
import { bodyOnProofClock, codeTokens, edited, onProofClock } from './clock.ts';
import { withoutLogHandlers } from './handlers.ts';
import { startsStatement, wordAt } from './structure.ts';

export interface Instrumentation {
  /** Statements that change the database, in order; each stands alone. */
  readonly statements: readonly string[];
  /** Numbers of counted conditions, by routine. */
  readonly branches: ReadonlyMap<string, readonly number[]>;
  /** Lines of handlers that were taken out, by routine. */
  readonly removedHandlers: ReadonlyMap<string, readonly number[]>;
}

/** Sets the clock of a database. `clock` as PostgreSQL reads a timestamptz. */
export function setClockSql(clock: string): string {
  return `CREATE OR REPLACE FUNCTION ${PROOF_SCHEMA}.clock() RETURNS timestamptz
    LANGUAGE sql STABLE AS $$ SELECT ${quoteLiteral(clock)}::timestamptz $$`;
}

/** `translations` are those to prove; `clock` is what the clock shows until it is set again. */
export function instrumentation(
  catalog: Catalog,
  translations: readonly Translation[],
  clock: string,
): Instrumentation {
  const byRoutine = new Map(translations.map((translation) => [translation.routine, translation]));
  const writes = translations.flatMap((translation) => translation.writes);
  const branches = new Map<string, readonly number[]>();
  const removedHandlers = new Map<string, readonly number[]>();
  const statements = [...proofSchema(clock)];
  let next = 1;
  for (const routine of catalog.routines) {
    const id = routineId(routine);
    const translation = byRoutine.get(id);
    const changed = changedRoutine(routine, translation, translation?.writes ?? writes, next);
    if (changed.numbers.length > 0) branches.set(id, changed.numbers);
    if (changed.removed.length > 0) removedHandlers.set(id, changed.removed);
    for (const number of changed.numbers) statements.push(...branchSequences(number));
    next += changed.numbers.length;
    if (changed.definition !== routine.definition) statements.push(changed.definition);
  }
  return {
    statements: [...statements, ...clockOfViews(catalog), ...clockOfDefaults(catalog)],
    branches,
    removedHandlers,
  };
}

interface ChangedRoutine {
  readonly definition: string;
  readonly numbers: readonly number[];
  readonly removed: readonly number[];
}

function changedRoutine(
  routine: Routine,
  translation: Translation | undefined,
  writes: readonly QualifiedName[],
  firstBranch: number,
): ChangedRoutine {
  const unchanged = { definition: routine.definition, numbers: [], removed: [] };
  if (routine.language !== 'plpgsql') {
    if (routine.language !== 'sql') return unchanged;
    return { ...unchanged, definition: withBody(routine, bodyOnProofClock(routine.body)) };
  }
  // A function that only gives a value may use a handler to choose it; nothing of that is logging.
  const runsForEffect =
    translation !== undefined || routine.kind === 'procedure' || routine.returns === 'void';
  const { body, removed } = runsForEffect
    ? withoutLogHandlers(routine.body, writes)
    : { body: routine.body, removed: [] };
  const counted = withCountedBranches(body, translation?.branches ?? [], firstBranch);
  const noted =
    translation === undefined ? counted.body : withNotedArguments(routine, counted.body);
  const definition = withBody(routine, bodyOnProofClock(noted));
  return { definition, numbers: counted.numbers, removed };
}

/** The CREATE statement with another body; the clock in defaults of parameters is changed too. */
function withBody(routine: Routine, body: string): string {
  const quoted = codeTokens(routine.definition).find(
    (token) => token.kind === 'string' && token.text.includes(routine.body),
  );
  if (quoted === undefined || routine.body === '') return onProofClock(routine.definition);
  const start = quoted.start + quoted.text.indexOf(routine.body);
  const end = start + routine.body.length;
  const { definition } = routine;
  return onProofClock(definition.slice(0, start) + body + definition.slice(end));
}

function clockOfViews(catalog: Catalog): string[] {
  return catalog.views.flatMap((view) => {
    const sql = onProofClock(view.sql);
    // A materialized view holds rows, which don't change with the clock.
    if (sql === view.sql || view.materialized) return [];
    return [`CREATE OR REPLACE VIEW ${quoteName(view.name)} AS ${sql}`];
  });
}

function clockOfDefaults(catalog: Catalog): string[] {
  return catalog.tables.flatMap((table) =>
    table.columns.flatMap((column) => {
      const sql = onProofClock(column.defaultSql ?? '');
      if (sql === (column.defaultSql ?? '')) return [];
      const name = quoteIdentifier(column.name);
      return [`ALTER TABLE ${quoteName(table.name)} ALTER COLUMN ${name} SET DEFAULT ${sql}`];
    }),
  );
}

/** Writes down the arguments of each call, so that models can be built with the same ones. */
function withNotedArguments(routine: Routine, body: string): string {
  const passed = routine.parameters.flatMap(({ mode }, index) =>
    mode === 'in' || mode === 'inout' ? [`$${index + 1}::text`] : [],
  );
  if (routine.volatility !== 'volatile') return body;
  const tokens = codeTokens(body);
  const begin = tokens.find(
    (_, at) => wordAt(tokens, at) === 'BEGIN' && startsStatement(tokens, at),
  );
  if (begin === undefined) return body;
  const noted = `${PROOF_SCHEMA}.called(${quoteLiteral(routineId(routine))}, ARRAY[${passed.join(', ')}]::text[])`;
  return edited(body, [{ start: begin.end, end: begin.end, text: ` PERFORM ${noted};` }]);
}

/** Arguments as text, of every call that was not undone, in order: routine and a JSON list. */
export const NOTED_CALLS = `
SELECT routine, to_json(arguments) FROM ${PROOF_SCHEMA}.calls ORDER BY number`;

export const FORGET_CALLS = `TRUNCATE ${PROOF_SCHEMA}.calls`;

/** Sequences don't go back when a transaction does, so that a failed run still tells its way. */
function branchSequences(number: number): string[] {
  return ['true', 'false'].map(
    (way) => `CREATE SEQUENCE ${PROOF_SCHEMA}.branch_${number}_${way} MINVALUE 0 START 0`,
  );
}

/** Gives one row for each side of a condition that was taken: number and `true` or `false`. */
export const REACHED_BRANCHES = `
SELECT split_part(sequencename, '_', 2), split_part(sequencename, '_', 3)
  FROM pg_catalog.pg_sequences
 WHERE schemaname = '${PROOF_SCHEMA}' AND sequencename LIKE 'branch\\_%' AND last_value IS NOT NULL`;

function proofSchema(clock: string): string[] {
  const clockFunction = (name: string, type: string) =>
    `CREATE FUNCTION ${PROOF_SCHEMA}.${quoteIdentifier(name)}() RETURNS ${type}
       LANGUAGE sql STABLE AS $$ SELECT ${PROOF_SCHEMA}.clock()::${type} $$`;
  const instants = ['now', 'transaction_timestamp', 'statement_timestamp', 'clock_timestamp'];
  const keywords = [
    ['current_date', 'date'],
    ['current_timestamp', 'timestamp with time zone'],
    ['localtimestamp', 'timestamp'],
    ['current_time', 'time with time zone'],
    ['localtime', 'time'],
  ] as const;
  return [
    `CREATE SCHEMA ${PROOF_SCHEMA}`,
    setClockSql(clock),
    ...instants.map((name) => clockFunction(name, 'timestamp with time zone')),
    ...keywords.map(([name, type]) => clockFunction(name, type)),
    `CREATE FUNCTION ${PROOF_SCHEMA}.timeofday() RETURNS text LANGUAGE sql STABLE
       AS $$ SELECT to_char(${PROOF_SCHEMA}.clock(), 'Dy Mon DD HH24:MI:SS.US YYYY TZ') $$`,
    `CREATE TABLE ${PROOF_SCHEMA}.calls (number serial, routine text, arguments text[])`,
    `CREATE FUNCTION ${PROOF_SCHEMA}.called(routine text, arguments text[]) RETURNS void LANGUAGE sql
       AS $$ INSERT INTO ${PROOF_SCHEMA}.calls (routine, arguments) VALUES (routine, arguments) $$`,
    `CREATE FUNCTION ${PROOF_SCHEMA}.branch(number integer, taken boolean) RETURNS boolean
       LANGUAGE plpgsql AS $$ BEGIN
         PERFORM nextval(format('${PROOF_SCHEMA}.branch_%s_%s', number, coalesce(taken, false)::text));
         RETURN taken;
       END $$`,
  ];
}
