import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockedNodes } from '../../../src/core/graph/blocked.ts';
import type { Progress } from '../../../src/core/graph/blocked.ts';
import { cycleText, findCycles } from '../../../src/core/graph/cycles.ts';
import {
  dependentsOf,
  longestChainFirst,
  makeGraph,
  reachable,
  waves,
  withoutImplied,
} from '../../../src/core/graph/graph.ts';
import type { DependencyGraph } from '../../../src/core/graph/graph.ts';
import { acyclicGraphs, anyGraphs } from './arbitrary.ts';

// The same cases each time: a failure in CI can be seen here.
fc.configureGlobal({ seed: 4_711 });

/** Nodes that can be reached from themselves: the plain definition, by closing over all edges. */
function nodesOnCycles(graph: DependencyGraph): readonly string[] {
  return graph.nodes.filter((node) => reachable([node], graph.dependencies).has(node));
}

describe('the longest chain first', () => {
  test('what most waits for is before what is ready, too', () => {
    const graph = makeGraph('alone short start short2 middle end'.split(' '), [
      ['short2', 'short'],
      ['middle', 'start'],
      ['end', 'middle'],
    ]);
    expect(longestChainFirst(graph)).toEqual('start short middle alone short2 end'.split(' '));
  });

  test('every node that is in a wave once, each after all it waits for', () => {
    fc.assert(
      fc.property(acyclicGraphs, (graph) => {
        const order = longestChainFirst(graph);
        expect(order.toSorted()).toEqual([...graph.nodes].toSorted());
        for (const [at, node] of order.entries()) {
          for (const waitsFor of graph.dependencies.get(node) ?? [])
            expect(order.indexOf(waitsFor)).toBeLessThan(at);
        }
      }),
    );
  });
});

describe('waves', () => {
  test('a diamond', () => {
    const graph = makeGraph('d c b a'.split(' '), [
      ['d', 'b'],
      ['d', 'c'],
      ['b', 'a'],
      ['c', 'a'],
    ]);
    expect(waves(graph)).toEqual([['a'], ['c', 'b'], ['d']]);
  });

  test('every node once, each after all it waits for and no later than it must be', () => {
    fc.assert(
      fc.property(acyclicGraphs, (graph) => {
        const found = waves(graph);
        expect(found.flat().toSorted()).toEqual([...graph.nodes].toSorted());
        const waveOf = new Map(
          found.flatMap((wave, at) => wave.map((node) => [node, at] as const)),
        );
        for (const node of graph.nodes) {
          const before = (graph.dependencies.get(node) ?? []).map((each) => waveOf.get(each) ?? -1);
          expect(waveOf.get(node)).toBe(Math.max(-1, ...before) + 1);
        }
      }),
    );
  });

  test('within a wave the order is that of the plan', () => {
    fc.assert(
      fc.property(acyclicGraphs, (graph) => {
        for (const wave of waves(graph)) {
          expect(wave).toEqual(graph.nodes.filter((node) => wave.includes(node)));
        }
      }),
    );
  });

  test('what is on a cycle or waits for one is in no wave, all else is', () => {
    fc.assert(
      fc.property(anyGraphs, (graph) => {
        const stuck = reachable(nodesOnCycles(graph), dependentsOf(graph));
        expect(waves(graph).flat().toSorted()).toEqual(
          graph.nodes.filter((node) => !stuck.has(node)).toSorted(),
        );
      }),
    );
  });

  test('a chain as long as a large plan', () => {
    const nodes = Array.from({ length: 20_000 }, (_, at) => `p${at}`);
    const graph = makeGraph(
      nodes,
      nodes.slice(1).map((node, at) => [node, nodes[at] ?? ''] as const),
    );
    expect(waves(graph)).toHaveLength(20_000);
    expect(findCycles(graph)).toEqual([]);
  });
});

describe('what is implied', () => {
  test('leaves the same order, and nothing less would', () => {
    fc.assert(
      fc.property(acyclicGraphs, (graph) => {
        const shown = withoutImplied(graph);
        for (const node of graph.nodes) {
          expect(reachable([node], shown)).toEqual(reachable([node], graph.dependencies));
          for (const each of shown.get(node) ?? []) {
            const others = (shown.get(node) ?? []).filter((other) => other !== each);
            expect(reachable(others, shown)).not.toContain(each);
          }
        }
      }),
    );
  });
});

describe('cycles', () => {
  test('are named in full, beginning with the one that the plan names first', () => {
    const graph = makeGraph('x c b a'.split(' '), [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['x', 'a'],
    ]);
    expect(findCycles(graph).map(cycleText)).toEqual(['c → a → b → c']);
  });

  test('a node that waits for itself is none', () => {
    expect(findCycles(makeGraph(['a'], [['a', 'a']]))).toEqual([]);
  });

  test('there are none where there are none', () => {
    fc.assert(
      fc.property(acyclicGraphs, (graph) => {
        expect(findCycles(graph)).toEqual([]);
      }),
    );
  });

  test('each that is named is one, and each node on any is in one that is named', () => {
    fc.assert(
      fc.property(anyGraphs, (graph) => {
        const found = findCycles(graph);
        for (const cycle of found) {
          expect(new Set(cycle).size).toBe(cycle.length);
          for (const [at, node] of cycle.entries()) {
            const next = cycle[(at + 1) % cycle.length] ?? '';
            expect(graph.dependencies.get(node)).toContain(next);
          }
        }
        const named = new Set(found.flat());
        expect([...named].toSorted()).toEqual([...nodesOnCycles(graph)].toSorted());
        expect(new Set(found.map(cycleText)).size).toBe(found.length);
      }),
    );
  });

  test('one as long as a large plan', () => {
    const nodes = Array.from({ length: 20_000 }, (_, at) => `p${at}`);
    const graph = makeGraph(
      nodes,
      nodes.map((node, at) => [node, nodes[(at + 1) % nodes.length] ?? ''] as const),
    );
    expect(findCycles(graph)).toEqual([nodes]);
  });
});

describe('blocked', () => {
  const graph = makeGraph('a b c d e'.split(' '), [
    ['b', 'a'],
    ['c', 'b'],
    ['d', 'c'],
    ['d', 'e'],
  ]);

  test('behind a failed one, by way of others too', () => {
    const progress = new Map<string, Progress>([['a', 'failed']]);
    expect(blockedNodes(graph, progress)).toEqual([
      { node: 'b', waitsFor: ['a'], behindFailed: ['a'] },
      { node: 'c', waitsFor: ['b'], behindFailed: ['a'] },
      { node: 'd', waitsFor: ['c', 'e'], behindFailed: ['a'] },
    ]);
  });

  test('nothing waits for what is done', () => {
    const progress = new Map<string, Progress>([
      ['a', 'done'],
      ['c', 'done'],
    ]);
    expect(blockedNodes(graph, progress)).toEqual([
      { node: 'd', waitsFor: ['e'], behindFailed: [] },
    ]);
  });

  test('a node is blocked just where something that it waits for is not done', () => {
    const states = fc.infiniteStream(fc.constantFrom<Progress>('done', 'failed', 'open'));
    fc.assert(
      fc.property(anyGraphs, states, (random, stream) => {
        const progress = new Map(random.nodes.map((node) => [node, stream.next().value] as const));
        const found = new Map(blockedNodes(random, progress).map((each) => [each.node, each]));
        for (const node of random.nodes) {
          const open = (random.dependencies.get(node) ?? []).filter(
            (each) => progress.get(each) !== 'done',
          );
          const expected = progress.get(node) === 'open' ? open : [];
          expect(found.get(node)?.waitsFor ?? []).toEqual(expected);
        }
      }),
    );
  });
});
