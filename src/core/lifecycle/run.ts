/** Questions about a run as a whole: who waits for whom, what is left, how much to claim. */
import { blockedNodes } from '../graph/blocked.ts';
import type { Progress } from '../graph/blocked.ts';
import { makeGraph } from '../graph/graph.ts';
import { isHeld, isLoaded, isLoadOpen, pipelineName } from './pipelines.ts';
import type { PipelineFacts } from './pipelines.ts';
import { isDone, STATUSES } from './state.ts';
import type { ProcedureState, Status } from './state.ts';

/** A procedure of a run: its state and the procedures that it reads from. */
export interface RunMember {
  readonly id: string;
  readonly dependsOn: readonly string[];
  /** The pipelines that move tables which it reads. */
  readonly pipelines: readonly PipelineFacts[];
  readonly state: ProcedureState;
}

export type RunMembers = ReadonlyMap<string, RunMember>;

/**
 * Number of direct dependencies that are not done, tables that are to be loaded among them; those
 * outside the run count as done.
 */
export function openDependencies(member: RunMember, members: RunMembers): number {
  const open = member.dependsOn.filter((id) => {
    const needed = members.get(id);
    return needed !== undefined && id !== member.id && !isDone(needed.state.status);
  });
  return open.length + member.pipelines.filter((facts) => !isLoaded(facts)).length;
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
  const awaited = awaitedPipelines(members);
  const edges = [...members.values()].flatMap(({ id, dependsOn, pipelines }) =>
    [...dependsOn, ...pipelines.map((facts) => pipelineName(facts.id))].map(
      (needs) => [id, needs] as const,
    ),
  );
  const progress = new Map([
    ...awaited.progress,
    ...[...members.values()].map(({ id, state }): [string, Progress] => [id, progressOf(state)]),
  ]);
  const graph = makeGraph(
    [...awaited.progress.keys(), ...members.keys()],
    [...awaited.edges, ...edges],
  );
  return new Map(
    blockedNodes(graph, progress)
      .filter(({ node }) => members.has(node))
      .map(({ node, waitsFor, behindFailed }) => [
        node,
        behindFailed.length === 0
          ? { waitsFor, message: null }
          : { waitsFor: behindFailed, message: behindMessage(behindFailed, members) },
      ]),
  );
}

/** Pipelines that somebody waits for, and those that hold these up. */
function awaitedPipelines(members: RunMembers): {
  readonly progress: ReadonlyMap<string, Progress>;
  readonly edges: readonly (readonly [string, string])[];
} {
  const progress = new Map<string, Progress>();
  const edges: (readonly [string, string])[] = [];
  for (const facts of [...members.values()].flatMap(({ pipelines }) => pipelines)) {
    const name = pipelineName(facts.id);
    if (progress.has(name) && progress.get(name) !== 'open') continue;
    if (isLoaded(facts)) progress.set(name, 'done');
    else if (facts.failure !== null) progress.set(name, 'failed');
    else progress.set(name, 'open');
    if (facts.heldBy === null || isLoaded(facts)) continue;
    progress.set(pipelineName(facts.heldBy), 'failed');
    edges.push([name, pipelineName(facts.heldBy)]);
  }
  return { progress, edges };
}

function progressOf({ status }: ProcedureState): Progress {
  if (isDone(status)) return 'done';
  return status === 'Failed' ? 'failed' : 'open';
}

function behindMessage(failed: readonly string[], members: RunMembers): string {
  const shown = failed.slice(0, 3).join(', ');
  const names = failed.length > 3 ? `${shown} and ${failed.length - 3} more` : shown;
  const them = failed.length === 1 ? 'it' : 'them';
  const ways = failed.some((name) => members.has(name)) ? 'retry, skip, manual or accept' : 'retry';
  const first = failed.every((name) => members.has(name)) ? '' : 'mend what its row says, then ';
  return `waits behind ${names}, which failed: ${first}${ways} ${them}`;
}

export interface RunSummary {
  readonly total: number;
  readonly counts: Readonly<Record<Status, number>>;
  /**
   * `done`: every procedure is Completed or Skipped, every pipeline is loaded.
   * `needs a person`: something failed, and nothing is left that a worker could do.
   * `open`: workers have something to do, or are doing it.
   */
  readonly state: 'open' | 'needs a person' | 'done';
}

/** `total` and `counts` are of procedures. */
export function summarizeRun(
  states: Iterable<ProcedureState>,
  pipelines: readonly PipelineFacts[],
): RunSummary {
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
  if (counts.Pending + counts.Running > 0 || isLoadOpen(pipelines)) {
    return { total, counts, state: 'open' };
  }
  const held = pipelines.filter((facts) => !isLoaded(facts) && isHeld(facts)).length;
  if (counts.Failed + held > 0) return { total, counts, state: 'needs a person' };
  // Blocked behind nothing that failed: what they wait for is there, and no worker has seen it yet.
  return { total, counts, state: counts.Blocked > 0 ? 'open' : 'done' };
}

/**
 * How many ready procedures a worker takes at once: enough that dbt starts seldom, few enough that
 * no other worker goes without.
 */
export function batchSize(ready: number, workers: number, most: number): number {
  return Math.max(1, Math.min(most, Math.ceil(ready / Math.max(1, workers))));
}
