/** Puts rows of pg_catalog together to the values of the core. */
import type {
  Column,
  QualifiedName,
  Routine,
  RoutineParameter,
  Sequence,
  Table,
  UniqueKey,
  UserType,
  View,
} from '../../core/catalog/types.ts';
import type {
  CheckRow,
  ColumnRow,
  ForeignKeyRow,
  KeyRow,
  RelationRow,
  RoutineRow,
  SequenceRow,
  TriggerRow,
  TypeRow,
} from './catalog-rows.ts';

/** Rows about relations; each part in the order in which its table keeps them. */
export interface RelationParts {
  readonly relations: readonly RelationRow[];
  readonly columns: readonly ColumnRow[];
  readonly keys: readonly KeyRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
  readonly checks: readonly CheckRow[];
  readonly triggers: readonly TriggerRow[];
}

const TABLE_KINDS = { r: 'table', p: 'partitioned', f: 'foreign' } as const;
const IDENTITY = { '': null, a: 'always', d: 'by default' } as const;
const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const;
const MODES = { i: 'in', o: 'out', b: 'inout', v: 'variadic', t: 'table' } as const;
const TYPE_KINDS = { e: 'enum', d: 'domain', c: 'composite' } as const;

export function tables(parts: RelationParts): readonly Table[] {
  const columns = byRelation(parts.columns);
  const keys = byRelation(parts.keys);
  const foreignKeys = byRelation(parts.foreignKeys);
  const checks = byRelation(parts.checks);
  const triggers = byRelation(parts.triggers);
  return parts.relations.flatMap((row): Table[] => {
    if (row.kind === 'v' || row.kind === 'm') return [];
    return [
      {
        name: nameOf(row),
        kind: TABLE_KINDS[row.kind],
        columns: columns(row.oid).map(column),
        keys: keys(row.oid).map(key),
        foreignKeys: foreignKeys(row.oid).map((found) => ({
          name: found.name,
          columns: found.columns,
          references: { schema: found.schema, name: found.table },
          referencedColumns: found.referenced,
          onDelete: found.onDelete,
          onUpdate: found.onUpdate,
        })),
        checks: checks(row.oid).map(({ name, sql }) => ({ name, sql })),
        triggers: triggers(row.oid).map((trigger) => trigger.name),
        triggerEvents: [...new Set(triggers(row.oid).flatMap((trigger) => trigger.events))],
        comment: row.comment,
        estimatedRows: row.rows === null ? null : Math.round(row.rows),
        ...(row.partitionOf === null ? {} : { partitionOf: row.partitionOf }),
        ...(row.inherits.length === 0 ? {} : { inherits: row.inherits }),
      },
    ];
  });
}

export function views(parts: RelationParts): readonly View[] {
  const columns = byRelation(parts.columns);
  return parts.relations.flatMap((row): View[] => {
    if (row.sql === null) return [];
    return [
      {
        name: nameOf(row),
        materialized: row.kind === 'm',
        columns: columns(row.oid).map(column),
        sql: withoutSemicolon(row.sql),
        comment: row.comment,
      },
    ];
  });
}

export function routines(found: readonly RoutineRow[]): readonly Routine[] {
  return found.map((row) => ({
    name: nameOf(row),
    kind: row.kind === 'p' ? 'procedure' : 'function',
    language: row.language,
    parameters: (row.parameters ?? []).map((parameter): RoutineParameter => ({
      name: parameter.name,
      type: parameter.type,
      mode: MODES[parameter.mode],
      defaultSql: parameter.default,
    })),
    returns: row.kind === 'p' ? null : row.returns,
    returnsSet: row.returnsSet,
    body: row.body ?? '',
    definition: row.definition,
    settings: Object.fromEntries((row.settings ?? []).map(setting)),
    volatility: VOLATILITY[row.volatility],
    isTrigger: row.isTrigger,
    comment: row.comment,
  }));
}

export function sequences(found: readonly SequenceRow[]): readonly Sequence[] {
  return found.map((row) => ({
    name: nameOf(row),
    start: row.start,
    increment: row.increment,
    ownedBy:
      row.ownedBy === null
        ? null
        : {
            table: { schema: row.ownedBy.schema, name: row.ownedBy.table },
            column: row.ownedBy.column,
          },
  }));
}

export function types(
  found: readonly TypeRow[],
  columns: readonly ColumnRow[],
): readonly UserType[] {
  const fields = byRelation(columns);
  return found.map((row) => ({
    name: nameOf(row),
    kind: TYPE_KINDS[row.kind],
    labels: row.labels ?? [],
    baseType: row.base,
    ...(row.default === null ? {} : { defaultSql: row.default }),
    fields: row.kind === 'c' ? fields(row.relation).map(({ name, type }) => ({ name, type })) : [],
  }));
}

function column(row: ColumnRow): Column {
  return {
    name: row.name,
    type: row.type,
    baseType: row.base,
    nullable: row.nullable,
    defaultSql: row.generated === '' ? row.default : null,
    identity: IDENTITY[row.identity],
    sequence: row.sequence,
    generatedSql: row.generated === '' ? null : row.default,
    comment: row.comment,
  };
}

function key(row: KeyRow): UniqueKey {
  const columns = row.columns.filter((name) => name !== null);
  const hasExpressions = columns.length < row.columns.length;
  return {
    name: row.name,
    kind: row.primary ? 'primary' : 'unique',
    columns: hasExpressions ? [] : columns,
    nullsNotDistinct: row.nullsNotDistinct,
    predicateSql: row.predicate,
    hasExpressions,
    ...(hasExpressions || row.predicate !== null ? { indexedSql: row.indexed } : {}),
  };
}

/** `name=value`, as pg_proc.proconfig keeps it. */
function setting(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

function withoutSemicolon(sql: string): string {
  const trimmed = sql.trim();
  return trimmed.endsWith(';') ? trimmed.slice(0, -1) : trimmed;
}

function nameOf({ schema, name }: QualifiedName): QualifiedName {
  return { schema, name };
}

function byRelation<Row extends { readonly relation: string }>(
  rows: readonly Row[],
): (relation: string) => readonly Row[] {
  const groups = Map.groupBy(rows, (row) => row.relation);
  return (relation) => groups.get(relation) ?? [];
}
