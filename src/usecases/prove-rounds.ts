/** The rounds of a proof as they are planned, and what is told of them while they run. */
import type { HintBook } from '../core/proof/hints/places.ts';
import type { RoundKind } from '../core/proof/record.ts';
import type { RoundSetting } from './prove-context.ts';
import type { BatchPlan } from './prove-plan.ts';
import type { InputChange } from './prove-state.ts';

export interface PlannedRound {
  readonly kind: RoundKind;
  readonly setting: RoundSetting;
  /** The only routines that run in it; null: all. */
  readonly only: ReadonlySet<string> | null;
  /** Makes the SQL that changes the inputs before the round; null where nothing changes them. */
  readonly change: ((database: string) => Promise<InputChange>) | null;
}

export interface Batch {
  readonly plan: BatchPlan;
  readonly rounds: readonly PlannedRound[];
  /** Database with the data, instrumented. Left as it is while rounds go on, and then without rows. */
  readonly given: string;
  /** Whether the data were made up. */
  readonly madeUp: boolean;
  /** What the procedures tell of the values of columns. */
  readonly hints: HintBook;
  /** Numbers of counted conditions by routine. */
  readonly branches: ReadonlyMap<string, readonly number[]>;
  readonly progress: (event: ProofProgress) => void;
}

export interface ProofProgress {
  readonly round: string;
  /** What is done in it, as people say it. */
  readonly step: string;
  readonly done: number;
  readonly total: number;
}
