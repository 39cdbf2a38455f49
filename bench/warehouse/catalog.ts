/**
 * Tables and routines of a made-up warehouse, as many as asked for, the same for the same seed.
 *
 * Each subject (orders, claims, …) has a source, staging, a dimension, a fact, a mart and an
 * archive, and routines of the kinds in which real ones are found.
 */
import type { Catalog, Column, Routine, Table } from '../../src/core/catalog/types.ts';
import { history, merge, upsert } from './dimensions.ts';
import { fact, mart, perCountry } from './facts.ts';
import { anyTable, check, nightly, report, SHARED_ROUTINES } from './jobs.ts';
import { seeded } from './random.ts';
import type { Random } from './random.ts';
import { archive, fullLoad, watermark } from './staging.ts';
import { makeSubject } from './subjects.ts';
import type { Subject } from './subjects.ts';
import { sharedTables, subjectTables } from './tables.ts';
import type { RoutineText, Writer } from './text.ts';

const WRITERS: readonly Writer[] = [
  fullLoad,
  watermark,
  history,
  upsert,
  merge,
  fact,
  mart,
  perCountry,
  archive,
  check,
  report,
  anyTable,
  nightly,
];

/** A catalog with exactly so many routines. */
export function makeWarehouse(routines: number, seed = 1): Catalog {
  const random = seeded(seed);
  const texts: RoutineText[] = [...SHARED_ROUTINES];
  const tables: Table[] = sharedTables();
  for (let index = 0; texts.length < routines; index += 1) {
    const subject = makeSubject(index, random);
    tables.push(...subjectTables(subject));
    texts.push(...subjectRoutines(subject, random));
  }
  return {
    dialect: 'postgres',
    version: '17.0',
    database: 'bench',
    searchPath: ['public'],
    tables,
    views: [],
    routines: texts.slice(0, routines).map(makeRoutine),
    sequences: [],
    types: [],
    schemaComments: {},
  };
}

/** The routines of one subject, in the order in which its nightly run calls them. */
function subjectRoutines(subject: Subject, random: Random): readonly RoutineText[] {
  return WRITERS.map((write) => write(subject, random));
}

function makeRoutine(text: RoutineText): Routine {
  const { schema, name, kind, language, parameters, returns, body } = text;
  const list = parameters
    .map(
      (each) => `${each.name} ${each.type}${each.defaultSql ? ` DEFAULT ${each.defaultSql}` : ''}`,
    )
    .join(', ');
  const result = returns === null ? '' : `\n RETURNS ${returns}`;
  const head = `CREATE OR REPLACE ${kind.toUpperCase()} ${schema}.${name}(${list})${result}\n LANGUAGE ${language}\nAS `;
  return {
    name: { schema, name },
    kind,
    language,
    parameters,
    returns,
    returnsSet: returns?.startsWith('TABLE') ?? false,
    body,
    definition: `${head}$${kind}$${body}$${kind}$\n`,
    settings: {},
    volatility: 'volatile',
    isTrigger: false,
    comment: null,
  };
}

/** The script that makes the warehouse in a database. */
export function warehouseScript(catalog: Catalog): string {
  const schemas = new Set(catalog.tables.map((table) => table.name.schema)).add('etl').add('mart');
  const statements = [
    'SET check_function_bodies = off',
    ...[...schemas].map((schema) => `CREATE SCHEMA ${schema}`),
    ...catalog.tables.map(tableStatement),
    ...catalog.routines.map((routine) => routine.definition.trim()),
  ];
  return statements.map((statement) => `${statement};\n`).join('');
}

function tableStatement({ name, columns, keys }: Table): string {
  const parts = [
    ...columns.map(columnText),
    ...keys.map(
      (key) => `${key.kind === 'primary' ? 'PRIMARY KEY' : 'UNIQUE'} (${key.columns.join(', ')})`,
    ),
  ];
  return `CREATE TABLE ${name.schema}.${name.name} (${parts.join(', ')})`;
}

function columnText({ name, type, nullable, defaultSql, identity }: Column): string {
  return [
    name,
    type,
    nullable ? '' : 'NOT NULL',
    defaultSql === null ? '' : `DEFAULT ${defaultSql}`,
    identity === null ? '' : `GENERATED ${identity} AS IDENTITY`,
  ].join(' ');
}
