/** What a routine does to the tables of a database. */
import type { QualifiedName } from '../catalog/types.ts';
import type { WriteAction } from './reference-types.ts';

export interface TableWrite {
  readonly table: QualifiedName;
  readonly action: WriteAction;
}

/** One statement, or one expression that reads or calls. */
export interface StatementEffects {
  /** Line of the routine's body on which the statement starts, first line 1. */
  readonly line: number;
  /** Tables and views as the statement names them; temporary ones left out. */
  readonly reads: readonly QualifiedName[];
  readonly writes: readonly TableWrite[];
  /** Routines of the catalog that are called, as `schema.name(argument types)`. */
  readonly calls: readonly string[];
}

type EffectProblemCode =
  | 'language'
  | 'parse-error'
  | 'dynamic-sql'
  | 'unknown-relation'
  | 'unknown-routine'
  | 'callers-table'
  | 'hidden-writer';

/** Why the effects of a routine are not wholly known. */
export interface EffectProblem {
  readonly code: EffectProblemCode;
  /** Line of the routine's body, first line 1. */
  readonly line: number;
  readonly construct: string;
  readonly message: string;
  readonly advice: string;
}

/** Effects of a routine's own text; those of the routines that it calls are theirs. */
export interface RoutineEffects {
  /** `schema.name(argument types)`. */
  readonly routine: string;
  /** In the order of the text; statements that touch nothing are left out. */
  readonly statements: readonly StatementEffects[];
  /** Tables and materialized views that are read, through views too. */
  readonly reads: readonly QualifiedName[];
  /** Views that are read, through other views too. */
  readonly views: readonly QualifiedName[];
  /** Tables that are changed and last. */
  readonly writes: readonly QualifiedName[];
  /** Routines that are called, once each, in the order of the first call, through views too. */
  readonly calls: readonly string[];
  readonly problems: readonly EffectProblem[];
}
