/** What has been seen of one procedure during its proof: from this its verdict is made. */
import type { QualifiedName } from '../catalog/types.ts';
import type { RowDifference } from './types.ts';

export type RoundKind =
  /** The tables that it writes emptied before. */
  | 'empty'
  /** The data as given. */
  | 'given'
  /** A second run on what the first one left. */
  | 'again'
  /** A file of changes applied to the inputs before. */
  | 'change'
  /** Changes that were made up applied to the inputs before. */
  | 'changed'
  /** Called with other arguments. */
  | 'arguments';

/** Why a side failed. */
export interface SideError {
  readonly message: string;
  /** SQLSTATE; null where the error isn't the database's. */
  readonly code: string | null;
  /** Line of the procedure's body; null where the error does not tell. */
  readonly line: number | null;
  /** Whether it came from text that was run by EXECUTE. */
  readonly dynamic: boolean;
}

export interface ComparedTable {
  readonly table: QualifiedName;
  readonly rows: number;
  readonly equal: boolean;
  readonly changed: boolean;
  readonly renamed: boolean;
  readonly close: boolean;
  readonly problem: string | null;
  readonly differences: readonly RowDifference[];
}

export interface RoundRecord {
  readonly name: string;
  readonly kind: RoundKind;
  /** By itself from the procedure's own state, or after all others in a state of the models. */
  readonly scope: 'alone' | 'together';
  readonly procedureError: SideError | null;
  readonly modelError: string | null;
  /** Messages of tests that say that the result depends on the order of rows. */
  readonly ambiguities: readonly string[];
  readonly tables: readonly ComparedTable[];
}

/** The procedure gave other rows when its input lay in another order. */
export interface OrderDependence {
  readonly round: string;
  readonly table: QualifiedName;
  readonly differences: readonly RowDifference[];
}

export interface RoutineRecord {
  readonly routine: string;
  readonly rounds: readonly RoundRecord[];
  readonly orderDependence: OrderDependence | null;
  /** A fault of Sprocket's own. */
  readonly fault: string | null;
  readonly branches: { readonly reached: number; readonly total: number };
}

/** Whether a round shows a difference between the sides. */
export function isUnequal(round: RoundRecord): boolean {
  const oneSided = (round.procedureError === null) !== (round.modelError === null);
  if (oneSided) return true;
  return round.procedureError === null && round.tables.some((table) => !table.equal);
}
