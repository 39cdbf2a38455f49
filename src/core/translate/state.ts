/**
 * The state of an evaluation: what every table and every variable is at one moment.
 *
 * A state is never changed. Each step gives a new one, so that branches can start from the same
 * state and their results can be compared.
 */
import type { Fragment } from './fragment.ts';
import type { Refusal } from './types.ts';
import type { TableShape } from './table.ts';
import type { SortColumn } from './postgres/scope.ts';
import type { Target } from './program.ts';
import type { Version } from './version.ts';

export type Constant = string | number | boolean | null;

export type Value =
  /** An expression that stands for the value anywhere in a query. */
  | {
      readonly kind: 'scalar';
      readonly sql: Fragment;
      readonly type: string | null;
      readonly constant?: Constant;
    }
  /** The record of a loop around this one, whose fields are columns of the inner loop's rows. */
  | {
      readonly kind: 'fields';
      readonly fields: ReadonlyMap<
        string,
        { readonly sql: Fragment; readonly type: string | null }
      >;
    }
  /** The first row of a relation; each field is a scalar. */
  | { readonly kind: 'record'; readonly row: Version }
  /** What could not be translated; `type` is that of the variable that holds it. */
  | { readonly kind: 'poison'; readonly refusal: Refusal; readonly type?: string | null };

export interface TableState {
  readonly shape: TableShape;
  readonly initial: Version;
  /** Null after DROP. */
  readonly version: Version | null;
  /** Set where a statement that writes the table could not be translated. */
  readonly refusal: Refusal | null;
  readonly sequenceRestarted: boolean;
  /** Body lines of the first and last statement that wrote it. */
  readonly lines: { readonly first: number; readonly last: number } | null;
  /** Every row that was written holds only constants, parameters, clocks and counters. */
  readonly onlyDataFree: boolean;
  /** Some statement put rows into it. */
  readonly addsRows: boolean;
}

/** Rows written by the last statement: what ROW_COUNT and FOUND tell of. */
type LastRows =
  | { readonly kind: 'rows'; readonly rows: Version }
  /** Inside a loop: whether there were any, for the row at hand. */
  | { readonly kind: 'flag'; readonly sql: Fragment }
  | { readonly kind: 'unknown'; readonly reason: string };

/** The rows that a loop runs over, while its body is evaluated for all of them at once. */
export interface LoopRows {
  readonly rows: Version;
  readonly alias: string;
  /** The loop's variable is a record: its fields are named with it in front. */
  readonly record: boolean;
  /** The order of the iterations, where it is total; null where it is not known. */
  readonly order: readonly SortColumn[] | null;
}

export interface State {
  /** Keyed by `schema.name`; temporary tables under the schema `pg_temp`. */
  readonly tables: ReadonlyMap<string, TableState>;
  /** Innermost block last. */
  readonly variables: readonly ReadonlyMap<string, Value>[];
  readonly lastRows: LastRows;
  readonly loop: LoopRows | null;
}

export const TEMPORARY = 'pg_temp';

export function emptyState(): State {
  return {
    tables: new Map(),
    variables: [],
    lastRows: { kind: 'unknown', reason: 'No statement was executed before.' },
    loop: null,
  };
}

export function withTable(state: State, key: string, table: TableState): State {
  return { ...state, tables: new Map(state.tables).set(key, table) };
}

export function lookup(state: State, name: string): Value | null {
  for (const block of state.variables.toReversed()) {
    const value = block.get(name);
    if (value) return value;
  }
  return null;
}

/** The entry by which a block is found by its label. */
export function labelKey(label: string): string {
  return `<<${label}>>`;
}

/** Sets a variable in the block that declares it; in the outermost one where none does. */
export function withVariable(state: State, name: string, value: Value): State {
  const declared = state.variables.findLastIndex((block) => block.has(name));
  const at = Math.max(declared, 0);
  const variables = state.variables.map((block, index) =>
    index === at ? new Map(block).set(name, value) : block,
  );
  return { ...state, variables };
}

export function withBlock(state: State, block: ReadonlyMap<string, Value>): State {
  return { ...state, variables: [...state.variables, block] };
}

export function withoutBlock(state: State): State {
  return { ...state, variables: state.variables.slice(0, -1) };
}

/** Name under which a function's return value is kept among its variables. */
export const RESULT = '<result>';

/** Puts a refusal in place of a value: whatever needs it is refused. */
export function withPoison(state: State, target: Target, refusal: Refusal): State {
  return withVariable(state, target[0] ?? '', { kind: 'poison', refusal });
}
