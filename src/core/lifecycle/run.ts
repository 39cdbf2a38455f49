/** Questions about a run as a whole: who waits for whom, what is left, how much to claim. */
import { isDone, STATUSES } from './state.ts';
import type { ProcedureState, Status } from './state.ts';

/** A procedure of a run: its state and the procedures that it reads from. */
export interface RunMember {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly state: ProcedureState;
}

export type RunMembers = ReadonlyMap<string, RunMember>;

/** What a procedure waits for. */
export interface Waiting {
  /** Direct dependencies that are not done, in the order of the plan. */
  readonly direct: readonly string[];
  /** The failed procedures that it waits for, directly or through others. */
  readonly failed: readonly string[];
}

/** Number of direct dependencies that are not done; those outside the run count as done. */
export function openDependencies(member: RunMember, members: RunMembers): number {
  return openOf(member, members).length;
}

export function waitingFor(member: RunMember, members: RunMembers): Waiting {
  const failed: string[] = [];
  const seen = new Set<string>([member.id]);
  const queue = openOf(member, members);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (seen.has(next.id)) continue;
    seen.add(next.id);
    if (next.state.status === 'Failed') failed.push(next.id);
    else queue.push(...openOf(next, members));
  }
  return { direct: openOf(member, members).map((open) => open.id), failed };
}

/** One sentence for people on why a procedure is Blocked; null where it is not. */
export function blockedReason(member: RunMember, members: RunMembers): string | null {
  if (member.state.status !== 'Blocked') return null;
  const { direct, failed } = waitingFor(member, members);
  if (failed.length === 0) return `Waits for ${list(direct)}.`;
  const they = failed.length === 1 ? 'it' : 'them';
  return `Waits behind ${list(failed)}, which failed: retry, skip, manual or accept ${they}.`;
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

function openOf(member: RunMember, members: RunMembers): RunMember[] {
  return member.dependsOn.flatMap((id) => {
    const dependency = members.get(id);
    return dependency === undefined || id === member.id || isDone(dependency.state.status)
      ? []
      : [dependency];
  });
}

function list(ids: readonly string[]): string {
  const shown = ids.slice(0, 3).join(', ');
  return ids.length > 3 ? `${shown} and ${ids.length - 3} more` : shown;
}
