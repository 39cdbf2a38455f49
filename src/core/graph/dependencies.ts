/**
 * Which routines of a plan must wait for which: readers for the writers of their tables, callers for
 * those that they call, and writers of one table for each other.
 */
import type { QualifiedName } from '../catalog/types.ts';
import { callOrders } from './call-order.ts';
import type { RoutineEffects } from './effect-types.ts';
import { makeGraph } from './graph.ts';
import type { DependencyGraph } from './graph.ts';
import { interleavings } from './interleaving.ts';
import { orderClues } from './order-clues.ts';
import type { Edge, Facts, LinearOrder } from './precedence.ts';
import { scopeEffects } from './scope-effects.ts';
import { chainEdges, writerChains } from './writer-order.ts';
import type { WriterChain } from './writer-order.ts';

export interface ScopeInput {
  /** Routine ids in the order of the plan. */
  readonly scope: readonly string[];
  /** Effects of the whole catalog: routines that the plan leaves out count for their callers. */
  readonly effects: ReadonlyMap<string, RoutineEffects>;
  /** Whether a person has put `scope` in the order in which the routines run. */
  readonly scopeIsOrdered: boolean;
  /** For a routine, those that the plan says it depends on. */
  readonly declared?: ReadonlyMap<string, readonly string[]>;
  /** Tables that tie nothing together, as `schema.name`: log tables. */
  readonly ignored?: ReadonlySet<string>;
}

/** Several routines write one table, and no order of theirs is known to give the right rows. */
export interface UnorderedWriters {
  readonly table: QualifiedName;
  /** In the order that is assumed. */
  readonly writers: readonly string[];
  /**
   * `no-order`: nothing tells; the plan must. `conflict`: callers contradict each other, or the
   * dependencies. `interleaved`: the second changes the table, then calls the first, which reads or
   * changes it: no order of whole routines gives the same rows.
   */
  readonly reason: 'no-order' | 'conflict' | 'interleaved';
}

export interface ScopeGraph extends DependencyGraph {
  /** For each table with several writers, by `schema.name`: its writers in order. */
  readonly writers: ReadonlyMap<string, readonly string[]>;
  readonly unordered: readonly UnorderedWriters[];
  /**
   * For each reader and table, by `schema.name`: the writer whose rows it sees. Left out where it
   * writes the table itself, and where nobody in scope does.
   */
  readonly seenWriters: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Cycles are not refused here: `findCycles` names them. */
export function scopeGraph(input: ScopeInput): ScopeGraph {
  const { effects } = input;
  const scope = [...new Set(input.scope)];
  const own = scopeEffects(scope, effects, input.ignored ?? new Set());
  const tables = new Map([...own.values()].flatMap((each) => [...each.writes]));
  const writers = Map.groupBy(
    [...own].flatMap(([routine, { writes }]) =>
      [...writes.keys()].map((table) => ({ table, routine })),
    ),
    (write) => write.table,
  );
  const orders = callOrders(new Set(scope), effects);
  const byTable = new Map(
    [...writers].map(([table, all]) => [table, all.map((each) => each.routine)]),
  );
  const facts: Facts = {
    scope,
    own,
    writers: byTable,
    firm: firmEdges(scope, own, input.declared ?? new Map()),
    clues: orderClues(orders.values(), own, byTable),
  };
  const { chains, order } = writerChains(facts, input.scopeIsOrdered);
  const seenWriters = writersSeen(facts, chains);
  const readerEdges = scope.flatMap((reader) =>
    [...(seenWriters.get(reader) ?? [])].flatMap(([table, writer]) =>
      [writer, ...inKnotWith(reader, byTable.get(table) ?? [], order)].map((each): Edge => [
        reader,
        each,
      ]),
    ),
  );
  const edges: Edge[] = [
    ...facts.firm,
    ...chains.flatMap((chain) => sureEdges(chain, facts, order)),
    ...readerEdges,
  ];
  return {
    ...makeGraph(scope, edges),
    writers: new Map(chains.map((chain) => [chain.table, chain.writers])),
    unordered: [
      ...chains.flatMap(({ table, writers: found, doubt }): UnorderedWriters[] => {
        const name = tables.get(table);
        return doubt === null || name === undefined
          ? []
          : [{ table: name, writers: found, reason: doubt }];
      }),
      ...interleavings(effects, own, orders).map(({ table, caller, called }): UnorderedWriters => ({
        table,
        writers: [called, caller],
        reason: 'interleaved',
      })),
    ],
    seenWriters,
  };
}

function firmEdges(
  scope: readonly string[],
  own: Facts['own'],
  declared: ReadonlyMap<string, readonly string[]>,
): readonly Edge[] {
  return scope.flatMap((routine) => {
    const waitsFor = [...(own.get(routine)?.calls ?? []), ...(declared.get(routine) ?? [])];
    return waitsFor.map((each): Edge => [routine, each]);
  });
}

/** Within a knot an order that is only assumed would make cycles that nobody wrote. */
function sureEdges(chain: WriterChain, { clues }: Facts, order: LinearOrder): readonly Edge[] {
  const told = new Set((clues.pairs.get(chain.table) ?? []).map((pair) => pair.join('\0')));
  return chainEdges(chain.writers).filter(([after, before]) => {
    const knot = order.knotOf.get(after);
    const together = knot !== undefined && knot === order.knotOf.get(before);
    return !together || told.has(`${before}\0${after}`);
  });
}

/** The last writer stands for those before it, but not where a cycle leads through one of them. */
function inKnotWith(
  reader: string,
  writers: readonly string[],
  { knotOf }: LinearOrder,
): readonly string[] {
  const knot = knotOf.get(reader);
  return knot === undefined ? [] : writers.filter((writer) => knotOf.get(writer) === knot);
}

function writersSeen(
  { own, writers, clues }: Facts,
  chains: readonly WriterChain[],
): ScopeGraph['seenWriters'] {
  const inOrder = new Map(chains.map((chain) => [chain.table, chain.writers]));
  return new Map(
    [...own].map(([reader, { reads, writes }]) => {
      const seen = new Map<string, string>();
      for (const table of reads.keys()) {
        if (writes.has(table)) continue;
        const unseen = clues.unseen.get(reader)?.get(table);
        const found = inOrder.get(table) ?? writers.get(table) ?? [];
        const writer = found.findLast((each) => unseen?.has(each) !== true);
        if (writer !== undefined) seen.set(table, writer);
      }
      return [reader, seen];
    }),
  );
}
