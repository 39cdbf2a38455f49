/** Questions about a run as a whole: who waits for whom, what is left, how much to claim. */
import { blockedNodes } from '../graph/blocked.ts';
import type { Progress } from '../graph/blocked.ts';
import { makeGraph } from '../graph/graph.ts';
import { isDone, STATUSES } from './state.ts';
import type { ProcedureState, Status } from './state.ts';

/** A procedure of a run: its state and the procedures that it reads from. */
export interface RunMember {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly state: ProcedureState;
}

export type RunMembers = ReadonlyMap<string, RunMember>;

/** Number of direct dependencies that are not done; those outside the run count as done. */
export function openDependencies(member: RunMember, members: RunMembers): number {
  return member.dependsOn.filter((id) => {
    const needed = members.get(id);
    return needed !== undefined && id !== member.id && !isDone(needed.state.status);
  }).length;
}

/** What a Blocked procedure waits for. */
export interface Waiting {
  /** The failed ones where it waits behind such, else those that it reads directly. */
  readonly waitsFor: readonly string[];
  /** What a person can do; null where it will go on by itself. */
  readonly message: string | null;
}

/** Of every Blocked procedure what it waits for. */
export function waitingOf(members: RunMembers): ReadonlyMap<string, Waiting> {
  const ids = [...members.keys()];
  const edges = [...members.values()].flatMap(({ id, dependsOn }) =>
    dependsOn.map((needs) => [id, needs] as const),
  );
  const progress = new Map(
    [...members.values()].map(({ id, state }): [string, Progress] => [id, progressOf(state)]),
  );
  return new Map(
    blockedNodes(makeGraph(ids, edges), progress).map(({ node, waitsFor, behindFailed }) => [
      node,
      behindFailed.length === 0
        ? { waitsFor, message: null }
        : { waitsFor: behindFailed, message: behindMessage(behindFailed) },
    ]),
  );
}

function progressOf({ status }: ProcedureState): Progress {
  if (isDone(status)) return 'done';
  return status === 'Failed' ? 'failed' : 'open';
}

function behindMessage(failed: readonly string[]): string {
  const shown = failed.slice(0, 3).join(', ');
  const names = failed.length > 3 ? `${shown} and ${failed.length - 3} more` : shown;
  const them = failed.length === 1 ? 'it' : 'them';
  return `waits behind ${names}, which failed: retry, skip, manual or accept ${them}`;
}

export interface RunSummary {
  readonly total: number;
  readonly counts: Readonly<Record<Status, number>>;
  /**
   * `done`: every procedure is Completed or Skipped.
   * `needs a person`: nothing is left that a worker could do.
   * `open`: workers have something to do, or are doing it.
   */
  readonly state: 'open' | 'needs a person' | 'done';
}

export function summarizeRun(states: Iterable<ProcedureState>): RunSummary {
  const counts: Record<Status, number> = {
    Pending: 0,
    Blocked: 0,
    Running: 0,
    Failed: 0,
    Completed: 0,
    'Completed (manual)': 0,
    'Completed (accepted)': 0,
    Skipped: 0,
  };
  for (const state of states) counts[state.status] += 1;
  const total = STATUSES.reduce((sum, status) => sum + counts[status], 0);
  if (counts.Pending + counts.Running > 0) return { total, counts, state: 'open' };
  const left = counts.Blocked + counts.Failed;
  return { total, counts, state: left > 0 ? 'needs a person' : 'done' };
}

/**
 * How many ready procedures a worker takes at once: enough that dbt starts seldom, few enough that
 * no other worker goes without.
 */
export function batchSize(ready: number, workers: number, most: number): number {
  return Math.max(1, Math.min(most, Math.ceil(ready / Math.max(1, workers))));
}
