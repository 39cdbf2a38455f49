/** Finds text of strangers that a workflow would hand to a shell; actionlint does not see all of it. */
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';

export interface ShellProblem {
  readonly path: string;
  readonly expression: string;
}

/**
 * What may stand in an expression inside of `run:` or of a script: values that GitHub makes itself.
 * Everything else, above all events, inputs and outputs, goes through `env:` or `with:`.
 */
const HARMLESS =
  /^(?:github\.(?:sha|run_id|run_number|run_attempt|repository_id|workspace|action_path|job)|runner\.\w+|job\.status|matrix\.\w+|strategy\.[\w-]+)$/u;
const SCRIPTS = new Set(['run', 'script', 'shell']);

export function shellProblems(workflow: string): readonly ShellProblem[] {
  const problems: ShellProblem[] = [];
  const visit = (node: unknown, path: string): void => {
    if (isSeq(node)) node.items.forEach((item, index) => visit(item, `${path}[${index}]`));
    if (!isMap(node)) return;
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const here = path === '' ? name : `${path}.${name}`;
      if (SCRIPTS.has(name) && isScalar(value) && typeof value.value === 'string') {
        for (const match of value.value.matchAll(/\$\{\{\s*(.*?)\s*\}\}/gsu)) {
          const expression = match[1] ?? '';
          if (!HARMLESS.test(expression)) problems.push({ path: here, expression });
        }
      } else {
        visit(value, here);
      }
    }
  };
  visit(parseDocument(workflow).contents, '');
  return problems;
}

/** `uses:` that can be moved to other code by somebody else: not pinned to a full SHA. */
export function unpinnedUses(workflow: string): readonly string[] {
  return [...workflow.matchAll(/^\s*(?:- )?uses:\s*(\S+)/gmu)]
    .map(([, uses = '']) => uses)
    .filter((uses) => !uses.startsWith('./') && !/@[0-9a-f]{40}$/u.test(uses));
}
