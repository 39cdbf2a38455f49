/** Pipelines of a run: what is recorded of them, and what follows for its procedures and its end. */
import type { Instant, Status } from './state.ts';

export interface PipelineFacts {
  /** `schema.table` of the source. */
  readonly id: string;
  /** A worker moves it, or did when it died. */
  readonly moving: boolean;
  /** Since when the target has held its rows, and what was captured until then; null: not yet. */
  readonly loadedAt: Instant | null;
  /** What stopped it, for people. */
  readonly failure: string | null;
  /** The pipeline whose failure stopped this one too: the tables of a plan are moved together. */
  readonly heldBy: string | null;
}

/** How a pipeline is called where procedures could be meant. */
export function pipelineName(id: string): string {
  return `pipeline ${id}`;
}

/** Following goes on behind a Completed one: what procedures need is there. */
export function pipelineStatus(facts: PipelineFacts): Status {
  if (facts.failure !== null) return 'Failed';
  if (facts.heldBy !== null) return 'Blocked';
  if (facts.loadedAt !== null) return 'Completed';
  return facts.moving ? 'Running' : 'Pending';
}

/** True where those that read its table need not wait. A failure later on takes no rows away. */
export function isLoaded({ loadedAt }: PipelineFacts): boolean {
  return loadedAt !== null;
}

/** True where nothing is left that a worker could do for it before a person has done something. */
export function isHeld({ failure, heldBy }: PipelineFacts): boolean {
  return failure !== null || heldBy !== null;
}

/** True where some worker is to load. */
export function isLoadOpen(pipelines: readonly PipelineFacts[]): boolean {
  return pipelines.some((facts) => !isLoaded(facts) && !isHeld(facts));
}
