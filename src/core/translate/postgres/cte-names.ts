/** Names of the CTEs in a routine's own text: our CTEs must not be called the same. */
import type { Routine } from '../../catalog/types.ts';
import { statementTexts } from './facts.ts';
import { parseSql } from './parser.ts';
import { walk } from './tree.ts';

export function cteNames(routine: Routine): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of statementTexts(routine)) {
    // Most statements have no CTE, and parsing costs far more than looking for the word.
    if (!/\bwith\b/iu.test(statement)) continue;
    let tree: object;
    try {
      tree = parseSql(statement);
    } catch {
      continue;
    }
    walk(tree, (node) => {
      if ('ctename' in node && typeof node.ctename === 'string') names.add(node.ctename);
    });
  }
  return names;
}
