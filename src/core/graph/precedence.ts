/**
 * Everything that is known of which routine comes before which. Tables are nodes too: all writers
 * come before their table, and the table before its readers, so that many writers and many readers
 * of one table make few edges.
 */
import { knots } from './cycles.ts';
import { makeGraph, waves } from './graph.ts';
import type { DependencyGraph } from './graph.ts';
import type { OrderClues } from './order-clues.ts';
import type { ScopeEffects } from './scope-effects.ts';

export type Edge = readonly [node: string, waitsFor: string];

export interface Facts {
  readonly scope: readonly string[];
  readonly own: ReadonlyMap<string, ScopeEffects>;
  /** Table by `schema.name` ▸ its writers in the order of the scope. */
  readonly writers: ReadonlyMap<string, readonly string[]>;
  /** Callers wait for what they call; routines for what the plan says. */
  readonly firm: readonly Edge[];
  readonly clues: OrderClues;
}

/** Nodes of tables are never routine ids: those hold no NUL. */
const tableNode = (table: string): string => `\0${table}`;

export function precedence(facts: Facts, more: readonly Edge[]): DependencyGraph {
  const { scope, own, writers, firm, clues } = facts;
  const edges: Edge[] = [...firm, ...more];
  for (const [table, found] of writers) {
    for (const writer of found) edges.push([tableNode(table), writer]);
  }
  for (const pairs of clues.pairs.values()) {
    for (const [before, after] of pairs) edges.push([after, before]);
  }
  for (const [reader, { reads, writes }] of own) {
    for (const table of reads.keys()) {
      if (writes.has(table)) continue;
      const unseen = clues.unseen.get(reader)?.get(table);
      if (unseen === undefined) edges.push([reader, tableNode(table)]);
      else {
        for (const writer of writers.get(table) ?? []) {
          if (!unseen.has(writer)) edges.push([reader, writer]);
        }
      }
    }
  }
  return makeGraph([...scope, ...[...writers.keys()].map(tableNode)], edges);
}

/** How much of a graph is on cycles; the same number for two graphs means that none came about. */
export function tangle(graph: DependencyGraph): string {
  const found = knots(graph);
  return `${found.length} ${found.flat().length}`;
}

export interface LinearOrder {
  /** All nodes; each after those that it waits for, as far as there is no cycle. */
  readonly nodes: readonly string[];
  /** For nodes on a cycle, the first of all that are on it or on one that touches it. */
  readonly knotOf: ReadonlyMap<string, string>;
}

/** Nodes of a knot stand together, in the order of the graph. */
export function linearOrder(graph: DependencyGraph): LinearOrder {
  const found = knots(graph);
  const knotOf = new Map(
    found.flatMap((knot) => knot.map((node) => [node, knot[0] ?? node] as const)),
  );
  const headOf = (node: string): string => knotOf.get(node) ?? node;
  const heads = graph.nodes.filter((node) => headOf(node) === node);
  const edges = graph.nodes.flatMap((node) =>
    (graph.dependencies.get(node) ?? []).map((each) => [headOf(node), headOf(each)] as const),
  );
  const members = Map.groupBy(graph.nodes, headOf);
  const order = waves(makeGraph(heads, edges)).flat();
  return { nodes: order.flatMap((head) => members.get(head) ?? []), knotOf };
}
