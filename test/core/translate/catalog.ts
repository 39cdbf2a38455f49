/**
 * A small warehouse without a database, and translations of procedures in it as text.
 *
 * `stg.s` is what comes in, `dw.t` and `dw.u` are what the procedures write, `dw.log` is a log.
 */
import { beforeAll } from 'vitest';
import type { Catalog, Routine, Table } from '../../../src/core/catalog/types.ts';
import { identifier } from '../../../src/core/translate/identifiers.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { translate } from '../../../src/core/translate/translate.ts';
import type { TranslateOptions } from '../../../src/core/translate/translate.ts';
import type { Query, Sql, SqlPart, Translation } from '../../../src/core/translate/types.ts';
import { catalog, column, key, name, table } from '../project/builders.ts';

export { column, foreignKey, key, table, view } from '../project/builders.ts';

const byId = { keys: [key('primary', ['id'])] };

const SOURCE = table(
  'stg.s',
  { id: 'integer!', code: 'text', amount: 'numeric(12,2)', day: 'date' },
  byId,
);
export const T = table('dw.t', { id: 'integer!', code: 'text', amount: 'numeric(12,2)' }, byId);
const U = table('dw.u', { id: 'integer!', code: 'text', amount: 'numeric(12,2)' }, byId);
/** No key, a serial column and a default. */
const NUMBERED = table('dw.numbered', {
  no: column('no', 'integer!', {
    defaultSql: "nextval('dw.numbered_no_seq'::regclass)",
    sequence: name('dw.numbered_no_seq'),
  }),
  code: 'text',
  state: column('state', 'text', { defaultSql: "'new'::text" }),
});
const LOG = table('dw.log', {
  at: 'timestamp with time zone',
  rows: 'bigint',
  note: 'text',
});

/** The loader of the parser, once for a test file. */
export function withParser(): void {
  beforeAll(loadParser);
}

/** The small warehouse, with parts of it replaced or added. */
export function warehouse(
  more: Partial<Catalog> & { readonly extra?: readonly Table[] } = {},
): Catalog {
  const { extra = [], ...parts } = more;
  return catalog({ tables: [SOURCE, T, U, NUMBERED, LOG, ...extra], ...parts });
}

/** A procedure in PL/pgSQL; `routineName` is `schema.name`. */
export function procedure(routineName: string, body: string, more: Partial<Routine> = {}): Routine {
  const { kind = 'procedure', language = 'plpgsql', parameters = [], returns = null } = more;
  const head = parameters
    .filter(({ mode }) => mode !== 'table')
    .map(({ mode, name: parameter, type }) => `${mode} ${parameter} ${type}`)
    .join(', ');
  const result = returns === null ? '' : ` RETURNS ${returns}`;
  return {
    name: name(routineName),
    kind,
    language,
    parameters,
    returns,
    returnsSet: false,
    body,
    definition: `CREATE ${kind} ${routineName}(${head})${result} LANGUAGE ${language} AS $body$${body}$body$`,
    settings: {},
    volatility: 'volatile',
    isTrigger: false,
    comment: null,
    ...more,
  };
}

/** A parameter that a caller gives. */
export function parameter(
  parameterName: string,
  type: string,
  defaultSql: string | null = null,
): Routine['parameters'][number] {
  return { name: parameterName, type, mode: 'in', defaultSql };
}

/** Translates one routine of a catalog. */
export function translated(
  routine: Routine,
  more: Parameters<typeof warehouse>[0] = {},
  options: TranslateOptions = {},
): Translation {
  const known = warehouse({ ...more, routines: [routine, ...(more.routines ?? [])] });
  const [translation] = translate(known, options);
  if (!translation) throw new Error('There is no translation.');
  return translation;
}

/** Translates statements as the body of a procedure; the first one stands on line 2. */
export function statements(text: string, more: Parameters<typeof warehouse>[0] = {}): Translation {
  return translated(procedure('dw.load', `BEGIN\n${text}\nEND`), more);
}

/** Models as text, tests after them; refusals where there are any. */
export function shown(translation: Translation): string {
  if (translation.outcome === 'refused') return refusals(translation).join('\n');
  const models = translation.models.map((model) => {
    const { schema, name: table } = model.table;
    const form = model.incremental
      ? `, ${[model.incremental.strategy, ...model.incremental.uniqueKey].join(' ')}`
      : '';
    const after =
      model.buildAfter.length === 0 ? '' : ` after ${model.buildAfter.map(written).join(', ')}`;
    return `${schema}.${table} (${model.materialization}${form})${after}:\n${queryText(model.query)}`;
  });
  const tests = translation.tests.map(
    (test) =>
      `${test.kind} ${test.when} (line ${test.line}): ${test.message}\n${queryText(test.query)}`,
  );
  return [...models, ...tests].join('\n\n') || translation.outcome;
}

/** `code line: construct`, one for each refusal. */
export function refusals(translation: Translation): readonly string[] {
  return translation.refusals.map(({ code, line, construct }) => `${code} ${line}: ${construct}`);
}

/** The SQL of a query: holes are written `{state schema.table}` and `{parameter}`. */
export function queryText({ ctes, final }: Query): string {
  const steps = ctes.map((cte) => {
    const head = cte.columns ? ` (${cte.columns.map(identifier).join(', ')})` : '';
    return `${identifier(cte.name)}${head} as (\n${sqlText(cte.sql)}\n)`;
  });
  return `${steps.length === 0 ? '' : `with ${steps.join(', ')}\n`}${sqlText(final)}`;
}

function sqlText(sql: Sql): string {
  return sql.map(partText).join('');
}

function partText(part: SqlPart): string {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'clock':
      return `{${part.text}}`;
    case 'cte':
      return identifier(part.name);
    case 'parameter':
      return `{${part.name}}`;
    case 'relation':
      return `{${part.state} ${written(part.table)}}`;
    case 'branch':
      return part.arms.map((arm) => `{${arm.condition ?? 'else'}}${sqlText(arm.sql)}`).join('');
  }
}

function written({ schema, name: table }: { schema: string; name: string }): string {
  return `${schema}.${table}`;
}
