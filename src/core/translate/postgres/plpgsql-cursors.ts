/** Reads OPEN, FETCH, MOVE and CLOSE. */
import type { Names } from './plpgsql-names.ts';
import { fields } from './plpgsql-tree.ts';
import type { Expression } from './plpgsql-tree.ts';
import type { CodeText, LoopSource, Step } from '../program.ts';
import { z } from 'zod';

const NEXT = 0;

/** Reads a step that opens, moves or closes a cursor; null where the node is none. */
export function readCursorStep(
  kind: string,
  content: Record<string, unknown>,
  names: Names,
): Step | null {
  const line = z.number().default(0).parse(content.lineno);
  const code = (expression: Expression): CodeText => names.code(expression, line);
  switch (kind) {
    case 'PLpgSQL_stmt_open': {
      const open = fields.open.parse(content);
      const query: LoopSource | null = open.query
        ? { kind: 'query', query: code(open.query) }
        : open.dynquery
          ? { kind: 'dynamic', expression: code(open.dynquery), using: open.params.map(code) }
          : null;
      return {
        kind: 'open',
        line,
        cursor: names.target(open.curvar)[0] ?? '',
        query,
        arguments: open.argquery ? code(open.argquery) : null,
      };
    }
    case 'PLpgSQL_stmt_fetch': {
      const { target, curvar, direction, how_many, expr, is_move } = fields.fetch.parse(content);
      const next = direction === NEXT && how_many === 1 && expr === undefined;
      return {
        kind: 'fetch',
        line,
        cursor: names.target(curvar)[0] ?? '',
        targets: names.targets(target),
        next,
        move: is_move,
      };
    }
    case 'PLpgSQL_stmt_close':
      return {
        kind: 'close',
        line,
        cursor: names.target(fields.close.parse(content).curvar)[0] ?? '',
      };
    default:
      return null;
  }
}
