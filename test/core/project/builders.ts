/** Short ways to write catalogs and translations down in tests. */
import type {
  Catalog,
  Column,
  ForeignKey,
  QualifiedName,
  Table,
  UniqueKey,
  View,
} from '../../../src/core/catalog/types.ts';
import type { ProjectOptions } from '../../../src/core/project/types.ts';
import type {
  Cte,
  Query,
  Sql,
  SqlPart,
  TranslatedModel,
  TranslatedTest,
  Translation,
} from '../../../src/core/translate/types.ts';

export function name(text: string): QualifiedName {
  const dot = text.indexOf('.');
  return { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** `integer!` is NOT NULL. */
export function column(columnName: string, type: string, more: Partial<Column> = {}): Column {
  const full = type.replace(/!$/u, '');
  return {
    name: columnName,
    type: full,
    baseType: full.replace(/\(.*\)/u, ''),
    nullable: !type.endsWith('!'),
    defaultSql: null,
    identity: null,
    sequence: null,
    generatedSql: null,
    comment: null,
    ...more,
  };
}

export function key(kind: UniqueKey['kind'], columns: readonly string[]): UniqueKey {
  return {
    name: `${columns.join('_')}_key`,
    kind,
    columns,
    nullsNotDistinct: false,
    predicateSql: null,
    hasExpressions: false,
  };
}

export function foreignKey(
  columns: readonly string[],
  table: string,
  to: readonly string[],
): ForeignKey {
  return {
    name: `${columns.join('_')}_fkey`,
    columns,
    references: name(table),
    referencedColumns: to,
  };
}

export function table(
  tableName: string,
  columns: Readonly<Record<string, string | Column>>,
  more: Partial<Table> = {},
): Table {
  return {
    name: name(tableName),
    kind: 'table',
    columns: Object.entries(columns).map(([columnName, type]) =>
      typeof type === 'string' ? column(columnName, type) : type,
    ),
    keys: [],
    foreignKeys: [],
    checks: [],
    triggers: [],
    comment: null,
    estimatedRows: null,
    ...more,
  };
}

export function view(
  viewName: string,
  columns: Readonly<Record<string, string>>,
  sqlText: string,
): View {
  return {
    name: name(viewName),
    materialized: false,
    columns: Object.entries(columns).map(([columnName, type]) => column(columnName, type)),
    sql: sqlText,
    comment: null,
  };
}

export function catalog(parts: Partial<Catalog>): Catalog {
  return {
    dialect: 'postgres',
    version: '16.4',
    database: 'test',
    searchPath: ['public'],
    tables: [],
    views: [],
    routines: [],
    sequences: [],
    types: [],
    schemaComments: {},
    ...parts,
  };
}

/**
 * SQL with holes: `‹former dw.sales›`, `‹current …›`, `‹final …›`, `‹cte name›`,
 * `‹parameter name type›`, `‹clock text | type›`.
 */
export function sql(text: string): Sql {
  return text
    .split(/(‹[^›]*›)/u)
    .filter((piece) => piece !== '')
    .map((piece): SqlPart => {
      const hole = /^‹(\w+) (.*)›$/su.exec(piece);
      const [, kind, rest = ''] = hole ?? [];
      switch (kind) {
        case 'former':
        case 'current':
        case 'final':
          return { kind: 'relation', table: name(rest), state: kind };
        case 'cte':
          return { kind: 'cte', name: rest };
        case 'parameter': {
          const space = rest.indexOf(' ');
          return { kind: 'parameter', name: rest.slice(0, space), type: rest.slice(space + 1) };
        }
        case 'clock': {
          const [clockText = '', type = ''] = rest.split(' | ');
          return { kind: 'clock', text: clockText, type };
        }
        default:
          return { kind: 'text', text: piece };
      }
    });
}

/** A query of one SELECT, or of CTEs by name and a last SELECT. */
export function query(final: string, ctes: Readonly<Record<string, string>> = {}): Query {
  return {
    ctes: Object.entries(ctes).map(([cteName, text]): Cte => ({
      name: cteName,
      title: `step ${cteName}`,
      lines: { first: 3, last: 5 },
      columns: null,
      sql: sql(text),
    })),
    final: sql(final),
  };
}

/** A model of a table in the catalog, with all its columns. */
export function model(
  of: Table,
  final: string,
  more: Partial<TranslatedModel> = {},
): TranslatedModel {
  return {
    table: of.name,
    columns: of.columns.map(({ name: columnName, type, baseType, identity }) => ({
      name: columnName,
      type,
      baseType,
      surrogate: identity !== null,
      unprovable: null,
    })),
    materialization: final.includes('‹former') ? 'rebuild' : 'table',
    query: query(final),
    incremental: null,
    buildAfter: [],
    intermediate: false,
    lines: { first: 2, last: 9 },
    ...more,
  };
}

export function check(
  testName: string,
  final: string,
  more: Partial<TranslatedTest> = {},
): TranslatedTest {
  return {
    name: testName,
    query: query(final),
    line: 4,
    message: `${testName} must not happen`,
    kind: 'raise',
    when: 'before',
    ...more,
  };
}

export function translation(
  routine: string,
  models: readonly TranslatedModel[],
  more: Partial<Translation> = {},
): Translation {
  return {
    routine,
    outcome: models.length > 0 ? 'models' : 'checks',
    models,
    tests: [],
    parameters: [],
    refusals: [],
    notes: [],
    branches: [],
    calls: [],
    reads: [],
    writes: models.map(({ table: written }) => written),
    logTables: [],
    ...more,
  };
}

export const OPTIONS: ProjectOptions = {
  name: 'warehouse',
  clock: 'live',
  parameters: {},
  unitTests: [],
  freshness: [],
  moved: new Map(),
  existing: null,
};
