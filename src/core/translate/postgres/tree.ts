/** Small readers of PostgreSQL's raw parse tree. */
import type { ColumnRef, FuncCall, Node, RangeVar, TypeName } from 'libpg-query';

/** Texts of a list of String nodes; `*` for a star. */
export function names(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map((node) => {
    if ('String' in node) return node.String.sval ?? '';
    if ('A_Star' in node) return '*';
    return '';
  });
}

export function columnPath(reference: ColumnRef): string[] {
  return names(reference.fields);
}

/** Name of a called function, schema first where it is given; `pg_catalog` left out. */
export function functionPath(call: FuncCall): string[] {
  const path = names(call.funcname);
  return path[0] === 'pg_catalog' && path.length > 1 ? path.slice(1) : path;
}

export interface RelationName {
  readonly schema: string | null;
  readonly name: string;
}

export function relationName(range: RangeVar): RelationName {
  return { schema: range.schemaname ?? null, name: range.relname ?? '' };
}

/** All nodes directly below a node, whatever its kind. */
export function children(node: object): object[] {
  const found: object[] = [];
  for (const value of Object.values(node)) collect(value, found);
  return found;
}

function collect(value: unknown, found: object[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (typeof value === 'object' && value !== null) {
    found.push(value);
  }
}

/** Calls `visit` on every object in the tree, parents first. Does not recurse: depth is no limit. */
export function walk(root: object, visit: (node: object) => void): void {
  const pending: object[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    pending.push(...children(node).toReversed());
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int: 'integer',
  int8: 'bigint',
  bool: 'boolean',
  float4: 'real',
  float8: 'double precision',
  varchar: 'character varying',
  bpchar: 'character',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
  decimal: 'numeric',
  varbit: 'bit varying',
  serial: 'integer',
  bigserial: 'bigint',
};

/** A type as `format_type` prints it, as far as its text tells; null for `%TYPE` and the like. */
export function typeText(type: TypeName | undefined): string | null {
  if (type === undefined || type.pct_type) return null;
  const path = names(type.names);
  const bare = path[0] === 'pg_catalog' ? path.slice(1) : path;
  const base = bare.length === 1 ? (TYPE_NAMES[bare[0] ?? ''] ?? bare[0]) : bare.join('.');
  if (base === undefined) return null;
  const modifiers = (type.typmods ?? []).map((node) =>
    'A_Const' in node && node.A_Const.ival ? String(node.A_Const.ival.ival ?? 0) : null,
  );
  if (modifiers.includes(null) || (base === 'interval' && modifiers.length > 0)) return null;
  const array = '[]'.repeat(type.arrayBounds?.length ?? 0);
  return withModifiers(base, modifiers.join(',')) + array;
}

function withModifiers(base: string, modifiers: string): string {
  if (modifiers === '') return base;
  const zone = / (with|without) time zone$/u.exec(base);
  if (zone) return `${base.slice(0, zone.index)}(${modifiers})${zone[0]}`;
  return `${base}(${modifiers})`;
}

/** Spells a type as `format_type` does where it was written with one of its short names. */
export function canonicalType(written: string): string {
  const match = /^([a-z0-9_ ]+?)(\([^)]*\))?((?:\[\])*)$/u.exec(written.trim().toLowerCase());
  if (!match) return written;
  const base = TYPE_NAMES[match[1] ?? ''] ?? match[1] ?? written;
  const modifiers = (match[2] ?? '').replaceAll(/[()\s]/gu, '');
  return withModifiers(base, modifiers) + (match[3] ?? '');
}

/** A type without its length or precision. */
export function baseOf(type: string): string {
  return type.replace(/\([^)]*\)/u, '');
}
