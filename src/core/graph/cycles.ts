/** Cycles of a graph, found and named. */
import type { DependencyGraph } from './graph.ts';

/** Nodes of a cycle in order, each waiting for the next, the last for the first. */
export type Cycle = readonly string[];

/** Nobody reads more of them, and each takes a walk through the whole knot. */
const MOST_PER_KNOT = 50;

/**
 * Cycles such that every node that lies on one is in one of them, at most 50 where cycles hang
 * together; none twice. Each is a shortest one through one of its nodes, and starts with the one
 * that the plan names first.
 */
export function findCycles(graph: DependencyGraph): readonly Cycle[] {
  const position = new Map(graph.nodes.map((node, at) => [node, at]));
  const at = (node: string | undefined): number => position.get(node ?? '') ?? 0;
  const found: Cycle[] = [];
  for (const component of knots(graph)) {
    const members = new Set(component);
    const uncovered = new Set(component.toSorted((a, b) => at(a) - at(b)));
    let count = 0;
    for (const node of uncovered) {
      if ((count += 1) > MOST_PER_KNOT) break;
      const cycle = shortestCycle(graph, node, members);
      for (const each of cycle) uncovered.delete(each);
      found.push(startingFirst(cycle, at));
    }
  }
  return found.toSorted((a, b) => at(a[0]) - at(b[0]));
}

/** `a → b → a`, where each waits for the next. */
export function cycleText(cycle: Cycle): string {
  return [...cycle, cycle[0] ?? ''].join(' → ');
}

function startingFirst(cycle: Cycle, at: (node: string | undefined) => number): Cycle {
  const first = cycle.reduce((best, node, index) => (at(node) < at(cycle[best]) ? index : best), 0);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

function shortestCycle(graph: DependencyGraph, start: string, members: ReadonlySet<string>): Cycle {
  const cameFrom = new Map<string, string>();
  let border = [start];
  while (border.length > 0) {
    const next: string[] = [];
    for (const node of border) {
      for (const neighbour of graph.dependencies.get(node) ?? []) {
        if (neighbour === start) return wayTo(node, cameFrom);
        if (!members.has(neighbour) || cameFrom.has(neighbour)) continue;
        cameFrom.set(neighbour, node);
        next.push(neighbour);
      }
    }
    border = next;
  }
  return [start];
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string>): Cycle {
  const way = [end];
  for (let at = cameFrom.get(end); at !== undefined; at = cameFrom.get(at)) way.push(at);
  return way.toReversed();
}

interface Visit {
  readonly node: string;
  readonly order: number;
  low: number;
  next: number;
}

/** Strongly connected components of more than one node (Tarjan, with a stack of its own). */
export function knots(graph: DependencyGraph): readonly (readonly string[])[] {
  const found: string[][] = [];
  const orders = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  for (const root of graph.nodes) {
    if (orders.has(root)) continue;
    const path: Visit[] = [];
    const enter = (node: string): void => {
      const order = orders.size;
      orders.set(node, order);
      open.push(node);
      isOpen.add(node);
      path.push({ node, order, low: order, next: 0 });
    };
    enter(root);
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const neighbour = graph.dependencies.get(visit.node)?.[visit.next];
      visit.next += 1;
      if (neighbour === undefined) {
        path.pop();
        const caller = path.at(-1);
        if (caller !== undefined) caller.low = Math.min(caller.low, visit.low);
        if (visit.low === visit.order) close(visit.node, open, isOpen, found);
      } else if (!orders.has(neighbour)) {
        enter(neighbour);
      } else if (isOpen.has(neighbour)) {
        visit.low = Math.min(visit.low, orders.get(neighbour) ?? visit.low);
      }
    }
  }
  return found;
}

function close(root: string, open: string[], isOpen: Set<string>, found: string[][]): void {
  const component = open.splice(open.lastIndexOf(root));
  for (const node of component) isOpen.delete(node);
  if (component.length > 1) found.push(component);
}
