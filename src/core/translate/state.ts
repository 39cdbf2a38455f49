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
  | {
      readonly kind: 'poison';
      readonly refusal: Refusal;
      readonly type?: string | null;
      /** The variable is a record. */
      readonly record?: boolean;
    };

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
  /** Values of other tables' rows went into it, through variables. */
  readonly takesData: boolean;
  /** Some row that was put into it holds a row count or an error, or nothing of other tables. */
  readonly looksLikeLog: boolean;
}

/** Rows written by the last statement: what ROW_COUNT and FOUND tell of. */
type LastRows =
  | {
      readonly kind: 'rows';
      readonly rows: Version;
      /** EXECUTE counts its rows, but leaves FOUND as it was. */
      readonly dynamic?: boolean;
    }
  /** Inside a loop: how many, for the row at hand; null where only the other one is known. */
  | { readonly kind: 'each'; readonly found: Fragment | null; readonly count: Fragment | null }
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

/** The innermost variable of a name; the one that is meant where the name tells it from others. */
export function lookup(state: State, name: string): Value | null {
  const { block, key } = place(state, name);
  return state.variables[block]?.get(key) ?? null;
}

/** `name#number` tells one of several variables called `name`; `#number` marks its block. */
export function numbered(name: string, number: number): string {
  return `${name}#${number}`;
}

function place(state: State, name: string): { readonly block: number; readonly key: string } {
  const mark = name.lastIndexOf('#');
  if (mark < 0)
    return { block: state.variables.findLastIndex((block) => block.has(name)), key: name };
  const declared = state.variables.findLastIndex((block) => block.has(name.slice(mark)));
  // Parameters are declared by no block.
  return { block: Math.max(declared, 0), key: name.slice(0, mark) };
}

/** The entry by which a block is found by its label. */
export function labelKey(label: string): string {
  return `<<${label}>>`;
}

/** Sets a variable in the block that declares it; in the outermost one where none does. */
export function withVariable(state: State, name: string, value: Value): State {
  const { block: declared, key } = place(state, name);
  const at = Math.max(declared, 0);
  const variables = state.variables.map((block, index) =>
    index === at ? new Map(block).set(key, value) : block,
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

/** Whether a variable is a record, whatever it holds at the moment. */
export function isRecord(state: State, name: string): boolean {
  const value = lookup(state, name);
  if (value?.kind === 'poison') return value.record === true;
  return value?.kind === 'record' || value?.kind === 'fields';
}

/** Puts a refusal in place of a value: whatever needs it is refused. */
export function withPoison(state: State, target: Target, refusal: Refusal): State {
  return withVariable(state, target[0] ?? '', { kind: 'poison', refusal });
}
