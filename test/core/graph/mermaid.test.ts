import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeGraph } from '../../../src/core/graph/graph.ts';
import { mermaid } from '../../../src/core/graph/mermaid.ts';

// The same cases each time: a failure in CI can be seen here.
fc.configureGlobal({ seed: 4_711 });

test('arrows point to those that wait', () => {
  const graph = makeGraph(
    ['dw.load()', 'dw.report(integer)'],
    [['dw.report(integer)', 'dw.load()']],
  );
  expect(mermaid(graph)).toBe(
    'flowchart LR\n  n1["dw.load()"]\n  n2["dw.report(integer)"]\n  n1 --> n2\n',
  );
});

test('what a name holds can neither end its label nor start anything else', () => {
  const graph = makeGraph(['a"]; click n1 "x".<b>#35;`%%\n&'], []);
  const [, line] = mermaid(graph).split('\n');
  expect(line).toBe(
    '  n1["a#34;#93;#59; click n1 #34;x#34;.#60;b#62;#35;35#59;#96;#37;#37;#10;#38;"]',
  );
});

test('the limits hold for any graph, and what is left out is counted', () => {
  const names = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 60 });
  fc.assert(
    fc.property(names, (nodes) => {
      const pairs = nodes.flatMap((a) => nodes.map((b) => [a, b] as const));
      const text = mermaid(makeGraph(nodes, pairs), { nodes: 20, edges: 50, characters: 4000 });
      const lines = text.trimEnd().split('\n');
      const drawn = lines.filter((line) => /^ {2}n\d+\[/u.test(line)).length;
      expect(text.length).toBeLessThanOrEqual(4000);
      expect(drawn).toBeLessThanOrEqual(20);
      expect(lines.filter((line) => line.includes('-->')).length).toBeLessThanOrEqual(50);
      const more = /more\["and (\d+) more"\]/u.exec(text)?.[1] ?? '0';
      expect(drawn + Number(more)).toBe(nodes.length);
    }),
  );
});

test('10,000 routines stay within what GitHub draws', () => {
  const nodes = Array.from({ length: 10_000 }, (_, at) => `warehouse.load_table_${at}(date)`);
  const graph = makeGraph(
    nodes,
    nodes.slice(1).map((node, at) => [node, nodes[at] ?? ''] as const),
  );
  expect(mermaid(graph).length).toBeLessThan(50_000);
});
