/** Tables of the warehouse: those of a subject, and those that all share. */
import type { Column, Table } from '../../src/core/catalog/types.ts';
import type { Subject } from './subjects.ts';

type ColumnText = readonly [name: string, type: string, rest?: string];

function makeColumn([name, type, rest = '']: ColumnText): Column {
  const [, defaultSql = null] = /default (.+)/u.exec(rest) ?? [];
  return {
    name,
    type,
    baseType: type.replace(/\(.*\)/u, ''),
    nullable: !rest.startsWith('not null'),
    defaultSql,
    identity: rest.includes('identity') ? 'by default' : null,
    sequence: null,
    generatedSql: null,
    comment: null,
  };
}

function makeTable(
  schema: string,
  name: string,
  keys: readonly (readonly string[])[],
  columns: readonly ColumnText[],
): Table {
  return {
    name: { schema, name },
    kind: 'table',
    columns: columns.map(makeColumn),
    keys: keys.map((key, index) => ({
      name: index === 0 ? `${name}_pkey` : `${name}_key${index}`,
      kind: index === 0 ? 'primary' : 'unique',
      columns: key,
      nullsNotDistinct: false,
      predicateSql: null,
      hasExpressions: false,
    })),
    foreignKeys: [],
    checks: [],
    triggers: [],
    comment: null,
    estimatedRows: null,
  };
}

export function sharedTables(): Table[] {
  const started: ColumnText = ['started_at', 'timestamp with time zone', 'not null default now()'];
  return [
    makeTable(
      'etl',
      'run_log',
      [['run_id']],
      [
        ['run_id', 'bigint', 'not null identity'],
        ['job', 'text', 'not null'],
        started,
        ['finished_at', 'timestamp with time zone'],
        ['rows_affected', 'bigint'],
        ['message', 'text'],
      ],
    ),
    makeTable(
      'etl',
      'error_log',
      [['error_id']],
      [
        ['error_id', 'bigint', 'not null identity'],
        ['job', 'text', 'not null'],
        started,
        ['sql_state', 'text'],
        ['message', 'text'],
      ],
    ),
    makeTable(
      'etl',
      'setting',
      [['name']],
      [
        ['name', 'text', 'not null'],
        ['value', 'text', 'not null'],
      ],
    ),
    makeTable(
      'stg',
      'fx_rate',
      [['currency', 'rate_date']],
      [
        ['currency', 'character(3)', 'not null'],
        ['rate_date', 'date', 'not null'],
        ['eur_rate', 'numeric(12,6)', 'not null'],
      ],
    ),
  ];
}

export function subjectTables({ name, attributes }: Subject): Table[] {
  const extra = attributes.map((each): ColumnText => [each.name, each.type]);
  const record: ColumnText[] = [
    ['id', 'bigint', 'not null'],
    ['code', 'character varying(30)', 'not null'],
    ['title', 'text'],
    ['status', 'character varying(20)', 'not null'],
    ['country', 'character(2)'],
    ['currency', 'character(3)', 'not null'],
    ['amount', 'numeric(12,2)'],
    ['quantity', 'integer'],
    ['created_at', 'timestamp without time zone', 'not null'],
    ['updated_at', 'timestamp without time zone', 'not null'],
    ...extra,
  ];
  const loaded: ColumnText = ['loaded_at', 'timestamp with time zone', 'not null default now()'];
  return [
    makeTable('src', name, [['id']], record),
    makeTable('stg', name, [['id']], [...record, ['master_id', 'bigint'], loaded]),
    makeTable(
      'dw',
      `dim_${name}`,
      [[`${name}_key`]],
      [
        [`${name}_key`, 'bigint', 'not null identity'],
        ['code', 'character varying(30)', 'not null'],
        ['title', 'text'],
        ['country', 'character(2)'],
        ...extra,
        ['row_hash', 'text'],
        ['valid_from', 'date', 'not null'],
        ['valid_to', 'date'],
        ['is_current', 'boolean', 'not null default true'],
      ],
    ),
    makeTable(
      'dw',
      `${name}_now`,
      [['code']],
      [
        ['code', 'character varying(30)', 'not null'],
        ['title', 'text'],
        ['status', 'character varying(20)', 'not null'],
        ['country', 'character(2)'],
        ...extra,
        ['changes', 'integer', 'not null default 0'],
        ['updated_at', 'timestamp without time zone'],
      ],
    ),
    makeTable(
      'dw',
      `fact_${name}`,
      [['id']],
      [
        ['id', 'bigint', 'not null'],
        [`${name}_key`, 'bigint', 'not null default -1'],
        ['day', 'date', 'not null'],
        ['country', 'character(2)'],
        ['quantity', 'integer'],
        ['amount', 'numeric(14,2)'],
        ['amount_eur', 'numeric(14,2)'],
        ['band', 'text'],
      ],
    ),
    makeTable(
      'mart',
      `${name}_daily`,
      [['day', 'country']],
      [
        ['day', 'date', 'not null'],
        ['country', 'character(2)', 'not null'],
        ['entries', 'bigint', 'not null'],
        ['amount_eur', 'numeric(16,2)'],
        ['running_eur', 'numeric(18,2)'],
        ['rank_in_day', 'bigint'],
        ['share', 'numeric(8,4)'],
      ],
    ),
    makeTable('dw', `${name}_archive`, [['id']], [...record, ['archived_on', 'date', 'not null']]),
  ];
}
