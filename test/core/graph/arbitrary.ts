/** Random graphs. Edges go from a node to what it waits for. */
import * as fc from 'fast-check';
import { makeGraph } from '../../../src/core/graph/graph.ts';
import type { DependencyGraph } from '../../../src/core/graph/graph.ts';

const nodeName = (at: number): string => `dw.p${at}()`;

function graphs(edge: (a: number, b: number) => boolean): fc.Arbitrary<DependencyGraph> {
  return fc.integer({ min: 0, max: 14 }).chain((count) =>
    fc
      .tuple(
        fc.shuffledSubarray([...Array(count).keys()], { minLength: count }),
        fc.array(fc.tuple(fc.nat({ max: 13 }), fc.nat({ max: 13 })), { maxLength: 40 }),
      )
      .map(([order, pairs]) =>
        makeGraph(
          order.map(nodeName),
          pairs
            .filter(([a, b]) => a < count && b < count && edge(a, b))
            .map(([a, b]) => [nodeName(a), nodeName(b)] as const),
        ),
      ),
  );
}

/** No cycles; the plan names the nodes in any order. */
export const acyclicGraphs = graphs((a, b) => a > b);

/** Any edges at all. */
export const anyGraphs = graphs(() => true);
