/** Graphs of names: who must wait for whom. */

export interface DependencyGraph {
  /** All nodes, in the order of the plan. */
  readonly nodes: readonly string[];
  /** For each node those that it waits for directly, in the order of `nodes`. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
}

/** Makes a graph; edges from or to what is no node are left out, and so are edges to itself. */
export function makeGraph(
  nodes: readonly string[],
  edges: Iterable<readonly [node: string, waitsFor: string]>,
): DependencyGraph {
  const position = new Map(nodes.map((node, at) => [node, at]));
  const found = new Map(nodes.map((node) => [node, new Set<string>()]));
  for (const [node, waitsFor] of edges) {
    if (node !== waitsFor && position.has(waitsFor)) found.get(node)?.add(waitsFor);
  }
  const byPosition = (a: string, b: string) => (position.get(a) ?? 0) - (position.get(b) ?? 0);
  return {
    nodes: [...position.keys()],
    dependencies: new Map(
      [...found].map(([node, waitsFor]) => [node, [...waitsFor].toSorted(byPosition)]),
    ),
  };
}

/** For each node those that wait for it directly, in the order of `nodes`. */
export function dependentsOf(graph: DependencyGraph): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(graph.nodes.map((node) => [node, []]));
  for (const node of graph.nodes) {
    for (const waitsFor of graph.dependencies.get(node) ?? []) found.get(waitsFor)?.push(node);
  }
  return found;
}

/** All nodes that can be reached from some by `next`, those themselves only where a way leads back. */
export function reachable(
  from: Iterable<string>,
  next: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [...from];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const node of next.get(at) ?? []) {
      if (found.has(node)) continue;
      found.add(node);
      pending.push(node);
    }
  }
  return found;
}

/**
 * Groups of nodes that are ready at the same moment, each as early as it can be. Nodes on a cycle,
 * and those that wait for one, are never ready: they are in no wave.
 */
export function waves(graph: DependencyGraph): readonly (readonly string[])[] {
  const waiting = new Map(
    graph.nodes.map((node) => [node, graph.dependencies.get(node)?.length ?? 0]),
  );
  const dependents = dependentsOf(graph);
  const position = new Map(graph.nodes.map((node, at) => [node, at]));
  const found: string[][] = [];
  let ready = graph.nodes.filter((node) => waiting.get(node) === 0);
  while (ready.length > 0) {
    found.push(ready);
    const next: string[] = [];
    for (const node of ready) {
      for (const dependent of dependents.get(node) ?? []) {
        const left = (waiting.get(dependent) ?? 0) - 1;
        waiting.set(dependent, left);
        if (left === 0) next.push(dependent);
      }
    }
    ready = next.toSorted((a, b) => (position.get(a) ?? 0) - (position.get(b) ?? 0));
  }
  return found;
}

/**
 * For each node those that it waits for, without those that another of them waits for anyway. The
 * graph must have no cycle; time and memory grow with the square of the nodes.
 */
export function withoutImplied(graph: DependencyGraph): ReadonlyMap<string, readonly string[]> {
  const behind = new Map<string, ReadonlySet<string>>();
  const found = new Map<string, readonly string[]>();
  for (const node of waves(graph).flat()) {
    const direct = graph.dependencies.get(node) ?? [];
    const implied = new Set(direct.flatMap((each) => [...(behind.get(each) ?? [])]));
    found.set(
      node,
      direct.filter((each) => !implied.has(each)),
    );
    behind.set(node, implied.union(new Set(direct)));
  }
  return found;
}

/**
 * All nodes that are in a wave, each after those that it waits for; of those that are ready, first
 * the one that the longest chain of others waits for, since that chain is how long all takes.
 */
export function longestChainFirst(graph: DependencyGraph): readonly string[] {
  const order = waves(graph).flat();
  const behind = new Map(order.map((node) => [node, 0]));
  for (const node of order.toReversed()) {
    for (const waitsFor of graph.dependencies.get(node) ?? []) {
      const length = (behind.get(node) ?? 0) + 1;
      if (length > (behind.get(waitsFor) ?? 0)) behind.set(waitsFor, length);
    }
  }
  return order.toSorted((a, b) => (behind.get(b) ?? 0) - (behind.get(a) ?? 0));
}
