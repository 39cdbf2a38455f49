/** Calls of functions and procedures, as they were written. */
import { canonicalType } from '../translate/postgres/tree.ts';
import { parseSearchPath } from './search-path.ts';
import { isTree, listAt, nameParts, stringConstant, textAt, treeAt } from './tree.ts';
import type { Tree } from './tree.ts';

interface CallArgument {
  /** Name of the parameter in `name => value`; null where it is given by place. */
  readonly name: string | null;
  /** Type as far as the text alone tells; null where it does not. */
  readonly type: string | null;
  /** Name of the variable or parameter that is passed; null for anything else. */
  readonly variable: string | null;
}

export interface CallReference {
  readonly schema: string | null;
  readonly name: string;
  /** CALL, which takes procedures only; any other call takes functions only. */
  readonly procedure: boolean;
  readonly arguments: readonly CallArgument[];
}

export function callOf(call: Tree, procedure: boolean): CallReference {
  const path = nameParts(listAt(call, 'funcname'));
  return {
    schema: path.at(-2) ?? null,
    name: path.at(-1) ?? '',
    procedure,
    arguments: listAt(call, 'args').map(argumentOf),
  };
}

function argumentOf(node: unknown): CallArgument {
  const named = treeAt(node, 'NamedArgExpr');
  if (named !== null) return { ...argumentOf(named['arg']), name: textAt(named, 'name') ?? '' };
  const path = nameParts(listAt(treeAt(node, 'ColumnRef'), 'fields'));
  return {
    name: null,
    type: typeOf(node),
    variable: path.length === 1 ? (path[0] ?? null) : null,
  };
}

function typeOf(node: unknown): string | null {
  const cast = treeAt(node, 'TypeCast');
  if (cast !== null) return castType(treeAt(cast, 'typeName'));
  const constant = treeAt(node, 'A_Const');
  if (isTree(constant?.['ival'])) return 'integer';
  if (isTree(constant?.['fval'])) return 'numeric';
  if (isTree(constant?.['boolval'])) return 'boolean';
  return null;
}

function castType(type: Tree | null): string | null {
  const path = nameParts(listAt(type, 'names'));
  const base = canonicalType((path[0] === 'pg_catalog' ? path.slice(1) : path).join('.'));
  return base === '' ? null : base + '[]'.repeat(listAt(type, 'arrayBounds').length);
}

/** The path that `set_config('search_path', 'a, b', …)` sets; null for any other call. */
export function searchPathCall(call: Tree): readonly string[] | null {
  if (nameParts(listAt(call, 'funcname')).at(-1) !== 'set_config') return null;
  const [setting, value] = listAt(call, 'args').map(stringConstant);
  if (setting !== 'search_path' || value === null || value === undefined) return null;
  return parseSearchPath(value);
}
