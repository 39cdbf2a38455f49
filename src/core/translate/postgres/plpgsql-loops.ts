/** Reads LOOP, WHILE, FOR and FOREACH, and what leaves them. */
import type { Names } from './plpgsql-names.ts';
import { fields } from './plpgsql-tree.ts';
import type { Expression, TreeNode } from './plpgsql-tree.ts';
import type { CodeText, Step } from '../program.ts';
import { z } from 'zod';

/** The steps of a list of nodes. */
export type ReadSteps = (nodes: readonly TreeNode[]) => Step[];

/** Reads a loop; null where the node is none. */
export function readLoop(
  kind: string,
  content: Record<string, unknown>,
  names: Names,
  read: ReadSteps,
  madeByLoop: (variable: string, line: number) => void,
): Step | null {
  const line = z.number().default(0).parse(content.lineno);
  const code = (expression: Expression): CodeText => names.code(expression, line);
  switch (kind) {
    case 'PLpgSQL_stmt_loop':
    case 'PLpgSQL_stmt_while': {
      const { label, body, cond } = fields.loop.parse(content);
      return {
        kind: 'while',
        line,
        label: label ?? null,
        condition: cond ? code(cond) : null,
        body: read(body),
      };
    }
    case 'PLpgSQL_stmt_fori': {
      const loop = fields.fori.parse(content);
      const variable = names.targets(loop.var)[0]?.[0] ?? '';
      madeByLoop(variable, line);
      return {
        kind: 'for-range',
        line,
        label: loop.label ?? null,
        variable,
        reverse: loop.reverse,
        lower: code(loop.lower),
        upper: code(loop.upper),
        step: loop.step ? code(loop.step) : null,
        body: read(loop.body),
      };
    }
    case 'PLpgSQL_stmt_fors':
    case 'PLpgSQL_stmt_forc':
    case 'PLpgSQL_stmt_dynfors': {
      const loop = fields.forQuery.parse(content);
      const source = names.loopSource(line, kind === 'PLpgSQL_stmt_dynfors', loop);
      if (source.kind === 'cursor') madeByLoop(names.targets(loop.var)[0]?.[0] ?? '', line);
      return {
        kind: 'for-query',
        line,
        label: loop.label ?? null,
        targets: names.targets(loop.var),
        source,
        body: read(loop.body),
      };
    }
    case 'PLpgSQL_stmt_foreach_a': {
      const loop = fields.foreach.parse(content);
      return {
        kind: 'for-array',
        line,
        label: loop.label ?? null,
        target: names.target(loop.varno),
        array: code(loop.expr),
        body: read(loop.body),
      };
    }
    case 'PLpgSQL_stmt_exit': {
      const { is_exit, label, cond } = fields.exit.parse(content);
      return {
        kind: 'exit',
        line,
        label: label ?? null,
        condition: cond ? code(cond) : null,
        again: !is_exit,
      };
    }
    default:
      return null;
  }
}
