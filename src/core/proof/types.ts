/** What a proof says of one procedure: the value behind MIGRATION.md, check run and `prove --json`. */
import type { QualifiedName } from '../catalog/types.ts';

export type ProofOutcome =
  | 'proven'
  | 'refused'
  | 'nondeterministic'
  | 'mismatch'
  | 'broken'
  | 'error';

export interface ProofReason {
  readonly line: number;
  readonly construct: string;
  readonly message: string;
  readonly advice: string;
}

/** A row that differs: one side's values are null where the row is missing there. */
export interface RowDifference {
  readonly table: QualifiedName;
  readonly round: string;
  readonly procedure: Readonly<Record<string, string | null>> | null;
  readonly model: Readonly<Record<string, string | null>> | null;
}

export interface ProofVerdict {
  /** `schema.name(argument types)`. */
  readonly name: string;
  readonly outcome: ProofOutcome;
  /** Names of the dbt models, in the order in which they are built. */
  readonly models: readonly string[];
  readonly rounds: number;
  /** Rows compared over all rounds and tables. */
  readonly rows: number;
  readonly seconds: number;
  readonly reasons: readonly ProofReason[];
  readonly differences: readonly RowDifference[];
  readonly branches: { readonly reached: number; readonly total: number };
  /** The arguments of its calls, each set once: SQL expressions by parameter. */
  readonly parameters?: readonly Readonly<Record<string, string>>[];
  /** What a reviewer should know although it changes nothing about the outcome. */
  readonly remarks?: readonly string[];
  /** Columns left out of the comparison, with the reason. */
  readonly leftOut: readonly { readonly column: string; readonly reason: string }[];
}
