/** What every rule is given, and the small pieces of SQL that several rules write. */
import type { Assignment } from '../bound.ts';
import type { Fragment } from '../fragment.ts';
import { from, join, sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { Place } from '../refusals.ts';
import { refuse } from '../refusals.ts';
import type { ShapeColumn, TableShape } from '../table.ts';
import type { Lines, Version, VersionFactory } from '../version.ts';

/** A query that gives rows where the result depends on an order that nobody stated. */
export interface AmbiguityCheck {
  readonly query: Fragment;
  readonly message: string;
  readonly line: number;
}

export interface RuleContext {
  readonly factory: VersionFactory;
  readonly shape: TableShape;
  /** The table as the statement finds it. */
  readonly current: Version;
  /** The table before the routine began. */
  readonly initial: Version;
  /** The sequence behind a surrogate key starts again at one. */
  readonly sequenceRestarted: boolean;
}

export interface WriteResult {
  readonly next: Version;
  /** The rows that were written or removed, with all columns of the table; null where not known. */
  readonly affected: Version | null;
  /** Rows that were added and can be appended to another version of the same table. */
  readonly added: readonly Version[] | null;
  readonly checks: readonly AmbiguityCheck[];
  /** What RETURNING gives, where it names tables of FROM or USING too. */
  readonly returned?: Fragment;
}

/** Columns of the written table; refuses where they can't be told. */
export function columnsOf(context: RuleContext, place: Place): readonly ShapeColumn[] {
  const { columns, name } = context.shape;
  if (columns === null)
    refuse('missing-column', place, `The columns of ${name.name} can't be told from the text.`);
  return columns;
}

/** A version of the written table: same columns and keys, another body. */
export function tableVersion(
  context: RuleContext,
  fields: Pick<Version, 'label' | 'title' | 'lines' | 'body' | 'change' | 'dataFree'>,
): Version {
  return context.factory.make({
    ...fields,
    owner: `${context.shape.name.schema}.${context.shape.name.name}`,
    columns:
      context.shape.columns?.map(({ name, type }) => ({ name, type })) ?? context.current.columns,
    keys: context.shape.keys.map((key) => key.columns),
  });
}

const CHARACTER = /^(character varying|character|bit varying|bit)\(/u;

/**
 * The type that a value is cast to on its way into a column. Lengths of character types are left
 * out: a cast would cut silently what an assignment refuses.
 */
export function castType(type: string): string {
  if (!CHARACTER.test(type)) return type;
  if (type.endsWith('[]')) return `${type.replace(/\(\d+\)/u, '')}`;
  if (type.startsWith('bit')) return 'bit varying';
  return type.startsWith('character varying') ? 'varchar' : 'bpchar';
}

/** A value as the column will hold it. */
export function assigned(value: Fragment, type: string | null, column: ShapeColumn): Fragment {
  if (column.type === null || column.type === type) return value;
  const padded = column.readBack ? /^character\((\d+)\)$/u.exec(column.type)?.[1] : undefined;
  if (padded !== undefined) {
    // The author's later statements see the blanks that the column adds.
    return sql`cast(rpad(cast(${value} as text), greatest(length(cast(${value} as text)), ${padded})) as bpchar)`;
  }
  if (type !== null && castType(type) === castType(column.type) && CHARACTER.test(column.type))
    return value;
  if (column.type === 'text' && type?.startsWith('character varying')) return value;
  return sql`cast(${value} as ${castType(column.type)})`;
}

/** The value of a column that a statement leaves out, a sequence's aside. */
export function defaultValue(column: ShapeColumn): Fragment {
  if (column.defaultSql) return assigned(column.defaultSql, null, column);
  return column.type === null ? text('null') : text(`cast(null as ${castType(column.type)})`);
}

/** The highest value of a surrogate key so far, in brackets; zero for an empty table. */
export function highestKey(context: RuleContext, column: ShapeColumn): Fragment {
  const { current, initial } = context;
  const name = identifier(column.name);
  const highest = (version: Version): Fragment =>
    sql`(select greatest(max(${name}), 0) from ${from(version)})`;
  if (context.sequenceRestarted)
    return current.body.kind === 'empty' ? text('0') : highest(current);
  if (grewFrom(current, initial)) return highest(current);
  if (current.body.kind === 'empty') return highest(initial);
  return sql`greatest(${highest(initial)}, ${highest(current)})`;
}

/** Whether a version holds all rows of an earlier one: rows were only added since. */
function grewFrom(version: Version, earlier: Version): boolean {
  if (version === earlier) return true;
  return version.change?.kind === 'append' && grewFrom(version.change.base, earlier);
}

/** `select` with one expression a column, each on a line of its own. */
export function selectList(
  items: readonly { readonly value: Fragment; readonly name: string; readonly bare: boolean }[],
): Fragment {
  const lines = items.map((item) =>
    item.bare ? item.value : sql`${item.value} as ${identifier(item.name)}`,
  );
  return sql`select\n    ${join(lines, ',\n    ')}`;
}

/** The column of an alias, as it stands. */
export function columnOf(alias: string, column: string): Fragment {
  return text(`${identifier(alias)}.${identifier(column)}`);
}

/** The new values of a row: what SET says, and generated columns made again. */
export function assignments(
  set: readonly Assignment[],
  columns: readonly ShapeColumn[],
  place: Place,
): ReadonlyMap<string, Fragment> {
  const values = new Map<string, Fragment>();
  for (const { column: name, value, type } of set) {
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) refuse('missing-column', place, `The table has no column ${name}.`);
    values.set(name, value === 'default' ? defaultValue(column) : assigned(value, type, column));
  }
  return values;
}

/** Adds a step that computes generated columns from the others, where there are any. */
export function withGenerated(
  context: RuleContext,
  rows: Fragment,
  columns: readonly ShapeColumn[],
): Fragment {
  if (!columns.some((column) => column.generated)) return rows;
  const list = selectList(
    columns.map((column) => ({
      value: column.generated ? sql`(${column.generated})` : text(identifier(column.name)),
      name: column.name,
      bare: !column.generated,
    })),
  );
  return sql`${list}\nfrom (\n${rows}\n) as stored`;
}

export function union(
  context: RuleContext,
  inputs: readonly Version[],
  fields: { readonly title: string; readonly lines: Lines; readonly change: Version['change'] },
): Version {
  const [only] = inputs;
  if (inputs.length === 1 && only) return only;
  return tableVersion(context, {
    ...fields,
    label: context.shape.name.name,
    body: { kind: 'union', inputs },
    dataFree: inputs.every((input) => input.dataFree),
  });
}
