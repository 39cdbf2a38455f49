/** The graph as a Mermaid flow chart, small enough for GitHub to draw. */
import type { DependencyGraph } from './graph.ts';

export interface MermaidLimits {
  readonly nodes: number;
  /** GitHub draws no chart of more than 500 edges. */
  readonly edges: number;
  /** GitHub draws no chart of more than 50,000 characters. */
  readonly characters: number;
}

const LIMITS: MermaidLimits = { nodes: 150, edges: 450, characters: 40_000 };
const LABEL_LENGTH = 80;

/**
 * Text of a chart in which arrows point from a routine to those that wait for it. What goes beyond
 * the limits is left out from the end of the plan, and counted in a node of its own.
 */
export function mermaid(graph: DependencyGraph, limits: Partial<MermaidLimits> = {}): string {
  const { nodes, edges, characters } = { ...LIMITS, ...limits };
  const lines = ['flowchart LR'];
  let length = lines.join().length + LABEL_LENGTH;
  const ids = new Map<string, string>();
  const fits = (line: string): boolean => {
    length += line.length + 1;
    return length <= characters;
  };
  for (const node of graph.nodes) {
    const id = `n${ids.size + 1}`;
    const line = `  ${id}["${label(node)}"]`;
    if (ids.size >= nodes || !fits(line)) break;
    ids.set(node, id);
    lines.push(line);
  }
  const arrows = [...ids].flatMap(([node, id]) =>
    (graph.dependencies.get(node) ?? []).flatMap((each) => {
      const from = ids.get(each);
      return from === undefined ? [] : [`  ${from} --> ${id}`];
    }),
  );
  const drawn = arrows.slice(0, edges).filter((line) => fits(line));
  lines.push(...drawn);
  const hiddenNodes = graph.nodes.length - ids.size;
  const hiddenArrows = arrows.length - drawn.length;
  if (hiddenNodes > 0) lines.push(`  more["and ${hiddenNodes} more"]`);
  if (hiddenArrows > 0) lines.push(`  arrows["${hiddenArrows} arrows left out"]`);
  return `${lines.join('\n')}\n`;
}

/** Mermaid reads `#…;` as a character by its number; all that could mean something to it is so written. */
function label(name: string): string {
  const characters = [...name];
  const shown =
    characters.length > LABEL_LENGTH ? [...characters.slice(0, LABEL_LENGTH - 1), '…'] : characters;
  return shown.map((each) => (isPlain(each) ? each : `#${each.codePointAt(0) ?? 0};`)).join('');
}

function isPlain(character: string): boolean {
  return /[\p{L}\p{N}_. (),…]/u.test(character);
}
