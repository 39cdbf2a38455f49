/** What every part of a move is given. */
import type { MovePlan } from '../core/movement/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { MoveSource, MoveTarget, Waiting } from '../ports/move.ts';
import type { WorkFolder } from '../ports/spool.ts';
import type { MoveControl } from './move_control.ts';
import type { MoveStore } from './move_store.ts';
import type { PipelineStore } from './pipeline_store.ts';

export interface MoveEvents {
  /** One line for people. */
  log(message: string): void;
  /** Rows or changes that were committed in the target. */
  progress(event: {
    readonly kind: 'rows' | 'changes';
    readonly table: string;
    readonly count: number;
  }): void;
}

export interface MoveContext {
  readonly plan: MovePlan;
  readonly source: MoveSource;
  readonly target: MoveTarget;
  readonly store: MoveStore;
  readonly pipelines: PipelineStore;
  readonly folder: WorkFolder;
  readonly control: MoveControl;
  readonly clock: Clock;
  readonly events: MoveEvents;
}

export function waitingOf({ control, events }: MoveContext): Waiting {
  return { stopping: control.stopping, say: (message) => events.log(message) };
}
