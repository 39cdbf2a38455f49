/** What a node waits for, given how far the others are. */
import { reachable } from './graph.ts';
import type { DependencyGraph } from './graph.ts';

/** `done`: its dependents may go on (completed, skipped, accepted). `failed`: it stays as it is. */
export type Progress = 'done' | 'failed' | 'open';

export interface Blocked {
  readonly node: string;
  /** Direct dependencies that are not done, in the order of the plan. */
  readonly waitsFor: readonly string[];
  /** Failed nodes that it waits for, directly or through others: only a person can help. */
  readonly behindFailed: readonly string[];
}

/** Open nodes that can't start, in the order of the plan; a node without progress is open. */
export function blockedNodes(
  graph: DependencyGraph,
  progress: ReadonlyMap<string, Progress>,
): readonly Blocked[] {
  const at = (node: string): Progress => progress.get(node) ?? 'open';
  const waiting = new Map(
    graph.nodes
      .filter((node) => at(node) === 'open')
      .map((node) => [
        node,
        (graph.dependencies.get(node) ?? []).filter((each) => at(each) !== 'done'),
      ]),
  );
  const failed = failuresBehind(graph, waiting, at);
  return [...waiting]
    .filter(([, waitsFor]) => waitsFor.length > 0)
    .map(([node, waitsFor]) => ({ node, waitsFor, behindFailed: failed.get(node) ?? [] }));
}

/** Walks from each failed node to all that wait for it: there are few failed ones. */
function failuresBehind(
  graph: DependencyGraph,
  waiting: ReadonlyMap<string, readonly string[]>,
  at: (node: string) => Progress,
): ReadonlyMap<string, readonly string[]> {
  const waiters = new Map<string, string[]>();
  for (const [node, waitsFor] of waiting) {
    for (const each of waitsFor) {
      const known = waiters.get(each);
      if (known === undefined) waiters.set(each, [node]);
      else known.push(node);
    }
  }
  const found = new Map<string, string[]>();
  for (const failure of graph.nodes.filter((node) => at(node) === 'failed')) {
    for (const node of reachable([failure], waiters)) {
      const known = found.get(node);
      if (known === undefined) found.set(node, [failure]);
      else known.push(failure);
    }
  }
  return found;
}
