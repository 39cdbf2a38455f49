/** The order of several writers of one table, and whether it is known or only assumed. */
import type { DependencyGraph } from './graph.ts';
import { linearOrder, precedence, tangle } from './precedence.ts';
import type { Edge, Facts, LinearOrder } from './precedence.ts';

export interface WriterChain {
  /** By `schema.name`. */
  readonly table: string;
  readonly writers: readonly string[];
  /**
   * `no-order`: nothing says that this order is right. `conflict`: callers contradict each other, or
   * the dependencies.
   */
  readonly doubt: 'no-order' | 'conflict' | null;
}

export interface WriterChains {
  /** One for each table with several writers. */
  readonly chains: readonly WriterChain[];
  readonly order: LinearOrder;
}

/** Tries to fit the order of the scope in, until so many were made: each walks the whole graph. */
const MOST_TRIALS = 64;

type SharedTable = readonly [table: string, writers: readonly string[]];

/**
 * Callers come first, then what data and calls ask for, then the order of the scope where a person
 * has put it so.
 */
export function writerChains(facts: Facts, scopeIsOrdered: boolean): WriterChains {
  const shared = [...facts.writers].filter(([, writers]) => writers.length > 1);
  const { graph, agreed } = scopeIsOrdered
    ? withScopeOrder(facts, shared)
    : { graph: precedence(facts, []), agreed: new Set<string>() };
  const order = linearOrder(graph);
  const position = new Map(order.nodes.map((node, at) => [node, at]));
  const isChain = chainCheck(graph, order);
  const placeOf = (node: string): number => position.get(node) ?? 0;
  const chains = shared.map(([table, found]): WriterChain => {
    const writers = found.toSorted((a, b) => placeOf(a) - placeOf(b));
    const pairs = facts.clues.pairs.get(table) ?? [];
    if (
      pairs.some(([before, after]) => placeOf(before) > placeOf(after) || inOneKnot(before, after))
    ) {
      return { table, writers, doubt: 'conflict' };
    }
    const known = agreed.has(table) || toldInFull(pairs, writers) || isChain(writers);
    return { table, writers, doubt: known ? null : 'no-order' };
  });
  return { chains, order };

  function inOneKnot(a: string, b: string): boolean {
    const knot = order.knotOf.get(a);
    return knot !== undefined && knot === order.knotOf.get(b);
  }
}

/** Takes the order of the scope for each table where it contradicts nothing that is known. */
function withScopeOrder(
  facts: Facts,
  shared: readonly SharedTable[],
): { readonly graph: DependencyGraph; readonly agreed: ReadonlySet<string> } {
  let graph = precedence(facts, []);
  const unavoidable = tangle(graph);
  const agreed = new Set<string>();
  const edges: Edge[] = [];
  let trials = 0;
  const pending: (readonly SharedTable[])[] = [shared];
  for (let tables = pending.pop(); tables !== undefined; tables = pending.pop()) {
    if (tables.length === 0 || trials === MOST_TRIALS) continue;
    trials += 1;
    const added = tables.flatMap(([, writers]) => chainEdges(writers));
    const trial = precedence(facts, [...edges, ...added]);
    if (tangle(trial) === unavoidable) {
      graph = trial;
      edges.push(...added);
      for (const [table] of tables) agreed.add(table);
    } else if (tables.length > 1) {
      const half = Math.ceil(tables.length / 2);
      pending.push(tables.slice(half), tables.slice(0, half));
    }
  }
  return { graph, agreed };
}

/** Each writer after the one before it. */
export function chainEdges(writers: readonly string[]): readonly Edge[] {
  return writers.slice(1).map((writer, at) => [writer, writers[at] ?? writer]);
}

function toldInFull(
  pairs: readonly (readonly [string, string])[],
  writers: readonly string[],
): boolean {
  const told = new Set(pairs.map((pair) => pair.join('\0')));
  return chainEdges(writers).every(([after, before]) => told.has(`${before}\0${after}`));
}

/**
 * Gives a function that says whether the graph leads from each of some writers to the one before it.
 * There may be thousands of tables to ask for, so that nodes are numbered once.
 */
function chainCheck(
  graph: DependencyGraph,
  { nodes }: LinearOrder,
): (writers: readonly string[]) => boolean {
  const numbers = new Map(nodes.map((node, at) => [node, at]));
  const numberOf = (node: string): number => numbers.get(node) ?? 0;
  const waitsFor = nodes.map((node) =>
    Int32Array.from(graph.dependencies.get(node) ?? [], numberOf),
  );
  const none = -1;
  const places = new Int32Array(nodes.length).fill(none);
  /** The last of the writers that each node waits for, directly or not. */
  const lastBefore = new Int32Array(nodes.length).fill(none);
  return (writers) => {
    const numbered = writers.map(numberOf);
    const first = Math.min(...numbered);
    const end = Math.max(...numbered) + 1;
    for (const [at, writer] of numbered.entries()) places[writer] = at;
    let chained = true;
    for (let node = first; node < end && chained; node += 1) {
      let last = none;
      for (const each of waitsFor[node] ?? []) {
        const place = each < first ? none : (places[each] ?? none);
        last = Math.max(last, place !== none || each < first ? place : (lastBefore[each] ?? none));
      }
      lastBefore[node] = last;
      const place = places[node] ?? none;
      chained = place === none || last === place - 1;
    }
    for (const writer of numbered) places[writer] = none;
    return chained;
  };
}
