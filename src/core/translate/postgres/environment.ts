/** What the binder asks of the evaluation that it works for. */
import type { Fragment } from '../fragment.ts';
import type { TableTarget } from '../bound.ts';
import type { Place } from '../refusals.ts';
import type { Refusal } from '../types.ts';
import type { Version } from '../version.ts';
import type { RangeItem } from './scope.ts';
import type { RelationName } from './tree.ts';

/** What a variable stands for at this moment. */
export interface VariableReading {
  readonly sql: Fragment;
  readonly type: string | null;
}

/** What a call of a function inside an expression comes to. */
export type FunctionReading =
  /** Leave it as it stands. */
  | { readonly kind: 'plain' }
  /** Its value can't be told; whoever needs it is refused. */
  | { readonly kind: 'unknown'; readonly refusal: Refusal }
  /** Put this in place of the function's name: the name with its schema. */
  | { readonly kind: 'renamed'; readonly sql: string };

export interface BindEnvironment {
  /** The current version of a relation; null where there is none of that name. */
  relation(name: RelationName): Version | null;
  /** The value of a variable or a field of one; null where there is none of that name. */
  variable(path: readonly string[]): VariableReading | null;
  /** Whether a column of a table, as `schema.name`, got random values before. */
  isRandom(table: string, column: string): boolean;
  /** The value of `$n`. */
  positional(index: number): VariableReading | null;
  /** Whether a name without a schema means a function of the user before a built-in one. */
  shadowsBuiltIn(name: string): boolean;
  /** Whether a function of the user gives rows. */
  returnsSet(path: readonly string[]): boolean;
  /** Checks a call of a function; refuses it by throwing where it can't be kept. */
  functionCall(path: readonly string[], place: Place): FunctionReading;
  /** Whether a variable is meant where a column has the same name. */
  prefersVariables(): boolean;
  /** The rows of the loop around: what its columns are called and by what they are unique. */
  loopItems(): readonly RangeItem[];
  /** The table that a statement writes and its current version; refuses what can't be written. */
  target(name: RelationName, alias: string, place: Place, verb?: WriteVerb): WriteTarget;
  /** DEFAULT of a column; null for none, `sequence` for one that a sequence hands out. */
  defaultOf(table: TableTarget, column: string): Fragment | 'sequence' | null;
  /** A type's name with its schema, where the author left the schema out. */
  typeName(path: readonly string[]): string | null;
}

/** Whether a statement puts new rows into its table, or works on those that are there. */
export type WriteVerb = 'add' | 'change';

export interface WriteTarget {
  readonly table: TableTarget;
  readonly version: Version;
}
