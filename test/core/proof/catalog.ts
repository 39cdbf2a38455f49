/** Catalogs for tests, made of a few words. */
import type { Catalog, Column, Routine, Table } from '../../../src/core/catalog/types.ts';

export function column(name: string, type = 'integer', options: Partial<Column> = {}): Column {
  return {
    name,
    type,
    baseType: type.replace(/\(.*\)/u, ''),
    nullable: true,
    defaultSql: null,
    identity: null,
    sequence: null,
    generatedSql: null,
    comment: null,
    ...options,
  };
}

/** `columns` as `name type`; `key` names the columns of the primary key. */
export function table(
  name: string,
  columns: readonly (string | Column)[],
  options: Partial<Table> & { readonly key?: readonly string[] } = {},
): Table {
  const { key = [], ...rest } = options;
  return {
    name: { schema: 's', name },
    kind: 'table',
    columns: columns.map((item) => {
      if (typeof item !== 'string') return item;
      const [first = '', ...type] = item.split(' ');
      return column(first, type.join(' ') || 'integer', { nullable: !key.includes(first) });
    }),
    keys:
      key.length === 0
        ? []
        : [
            {
              name: 'pk',
              kind: 'primary',
              columns: key,
              nullsNotDistinct: false,
              predicateSql: null,
              hasExpressions: false,
            },
          ],
    foreignKeys: [],
    checks: [],
    triggers: [],
    comment: null,
    estimatedRows: null,
    ...rest,
  };
}

/** A PL/pgSQL procedure `s.name(parameters)`. */
export function procedure(
  name: string,
  body: string,
  parameters: Routine['parameters'] = [],
): Routine {
  const list = parameters.map((parameter) => `${parameter.name} ${parameter.type}`).join(', ');
  return {
    name: { schema: 's', name },
    kind: 'procedure',
    language: 'plpgsql',
    parameters,
    returns: null,
    returnsSet: false,
    body,
    definition: `CREATE OR REPLACE PROCEDURE s.${name}(${list}) LANGUAGE plpgsql AS $procedure$${body}$procedure$`,
    settings: {},
    volatility: 'volatile',
    isTrigger: false,
    comment: null,
  };
}

export function parameter(
  name: string,
  type: string,
  defaultSql: string | null = null,
): Routine['parameters'][number] {
  return { name, type, mode: 'in', defaultSql };
}

export function catalog(parts: Partial<Catalog> = {}): Catalog {
  return {
    dialect: 'postgres',
    version: '18.0',
    database: 'd',
    searchPath: ['s'],
    tables: [],
    views: [],
    routines: [],
    sequences: [],
    types: [],
    schemaComments: {},
    ...parts,
  };
}
