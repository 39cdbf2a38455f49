/** Reads a PL/pgSQL routine into a program. */
import type { Routine } from '../../catalog/types.ts';
import { parsePlpgsql } from './parser.ts';
import { readAssignment } from './plpgsql-assignment.ts';
import { readCursorStep } from './plpgsql-cursors.ts';
import { Declarations } from './plpgsql-declarations.ts';
import { withoutFarExits } from './plpgsql-labels.ts';
import { readLoop } from './plpgsql-loops.ts';
import { EMPTY_CODE, Names } from './plpgsql-names.ts';
import { fields, functionTree } from './plpgsql-tree.ts';
import type { Datum, Expression, TreeNode } from './plpgsql-tree.ts';
import { withoutRowTypes } from './row-types.ts';
import type { CodeText, Handler, LoopSource, Step } from '../program.ts';
import { z } from 'zod';

const EXCEPTION_LEVEL = 21;

/** Throws the parser's error where the body does not parse. */
export function readPlpgsql(routine: Routine): readonly Step[] {
  const tree = functionTree.parse(parsePlpgsql(withoutRowTypes(routine.definition)));
  const parsed = tree.plpgsql_funcs[0]?.PLpgSQL_function;
  if (!parsed) return [];
  return withoutFarExits(new Reader(routine, parsed.datums).steps([parsed.action]));
}

class Reader {
  readonly #names: Names;
  readonly #declarations: Declarations;

  constructor(routine: Routine, datums: readonly Datum[]) {
    this.#names = new Names(routine, datums);
    this.#declarations = new Declarations(routine, this.#names);
  }

  steps(nodes: readonly TreeNode[]): Step[] {
    return nodes.flatMap((node) => this.#step(node));
  }

  #step(node: TreeNode): Step[] {
    const [kind, content] = Object.entries(node)[0] ?? ['', {}];
    const line = z.number().default(0).parse(content.lineno);
    const code = (expression: Expression): CodeText => this.#names.code(expression, line);
    switch (kind) {
      case 'PLpgSQL_stmt_block':
        return this.#block(fields.block.parse(content));
      case 'PLpgSQL_stmt_execsql': {
        const { sqlstmt, into, strict, target } = fields.execsql.parse(content);
        return [
          {
            kind: 'statement',
            line,
            code: code(sqlstmt),
            into: into ? this.#names.targets(target) : null,
            strict,
          },
        ];
      }
      case 'PLpgSQL_stmt_call':
        return [
          {
            kind: 'statement',
            line,
            code: code(fields.perform.parse(content).expr),
            into: null,
            strict: false,
          },
        ];
      case 'PLpgSQL_stmt_perform':
        return [{ kind: 'perform', line, query: code(fields.perform.parse(content).expr) }];
      case 'PLpgSQL_stmt_assign': {
        const { varno, expr } = fields.assign.parse(content);
        return [readAssignment(this.#names, line, varno, code(expr))];
      }
      case 'PLpgSQL_stmt_if': {
        const { cond, then_body, elsif_list, else_body } = fields.conditional.parse(content);
        const arms = [{ condition: code(cond), line, body: this.steps(then_body) }];
        for (const item of elsif_list) {
          const elsif = fields.elsif.parse(item.PLpgSQL_if_elsif);
          arms.push({
            condition: this.#names.code(elsif.cond, elsif.lineno),
            line: elsif.lineno,
            body: this.steps(elsif.stmts),
          });
        }
        return [{ kind: 'if', line, arms, otherwise: this.steps(else_body) }];
      }
      case 'PLpgSQL_stmt_case':
        return this.#case(line, fields.case.parse(content));
      case 'PLpgSQL_stmt_raise': {
        const { elog_level, message, condname } = fields.raise.parse(content);
        const again = message === undefined && condname === undefined;
        const level = elog_level >= EXCEPTION_LEVEL ? 'exception' : 'message';
        return [{ kind: 'raise', line, level, message: message ?? condname ?? '', again }];
      }
      case 'PLpgSQL_stmt_assert': {
        const { cond, message } = fields.assert.parse(content);
        return [
          {
            kind: 'assert',
            line,
            condition: code(cond),
            message: message?.PLpgSQL_expr.query ?? 'assertion failed',
          },
        ];
      }
      case 'PLpgSQL_stmt_return': {
        const { expr } = fields.return.parse(content);
        return [{ kind: 'return', line, value: expr ? code(expr) : null }];
      }
      case 'PLpgSQL_stmt_return_next': {
        const { expr } = fields.return.parse(content);
        return [{ kind: 'return-next', line, value: expr ? code(expr) : null }];
      }
      case 'PLpgSQL_stmt_return_query': {
        const { query, dynquery, params } = fields.returnQuery.parse(content);
        const source: LoopSource = query
          ? { kind: 'query', query: code(query) }
          : {
              kind: 'dynamic',
              expression: dynquery ? code(dynquery) : EMPTY_CODE,
              using: params.map(code),
            };
        return [{ kind: 'return-query', line, query: source }];
      }
      case 'PLpgSQL_stmt_dynexecute': {
        const { query, into, strict, target, params } = fields.dynexecute.parse(content);
        return [
          {
            kind: 'execute',
            line,
            expression: code(query),
            using: params.map(code),
            into: into ? this.#names.targets(target) : null,
            strict,
          },
        ];
      }
      case 'PLpgSQL_stmt_getdiag': {
        const items = fields.diagnostics
          .parse(content)
          .diag_items.map(({ PLpgSQL_diag_item: item }) => ({
            item: item.kind,
            target: this.#names.target(item.target),
          }));
        return [{ kind: 'diagnostics', line, items }];
      }
      case 'PLpgSQL_stmt_commit':
        return [{ kind: 'transaction', line, action: 'commit' }];
      case 'PLpgSQL_stmt_rollback':
        return [{ kind: 'transaction', line, action: 'rollback' }];
      default: {
        const read = (nodes: readonly TreeNode[]): Step[] => this.steps(nodes);
        const step =
          readLoop(kind, content, this.#names, read, (variable, at) =>
            this.#declarations.leaveOut(variable, at),
          ) ?? readCursorStep(kind, content, this.#names);
        if (step) return [step];
        return [
          { kind: 'unknown', line, construct: kind.replace('PLpgSQL_stmt_', '').toUpperCase() },
        ];
      }
    }
  }

  #block(block: z.infer<typeof fields.block>): Step[] {
    const declarations = this.#declarations.of(block.lineno);
    const body = this.steps(block.body);
    const exceptions = block.exceptions
      ? fields.exceptionBlock.parse(block.exceptions.PLpgSQL_exception_block).exc_list
      : [];
    const handlers = exceptions.map((item): Handler => {
      const { conditions, action, lineno } = fields.exception.parse(item.PLpgSQL_exception);
      const body = this.steps(action);
      return {
        conditions: conditions.map(
          (condition) => fields.condition.parse(condition.PLpgSQL_condition).condname,
        ),
        // The parser gives no line for WHEN itself.
        line: lineno || (body[0]?.line ?? block.lineno),
        body,
      };
    });
    if (block.lineno === 0 && declarations.length === 0 && handlers.length === 0) return body;
    return [
      {
        kind: 'block',
        line: block.lineno,
        label: block.label ?? null,
        declarations,
        body,
        handlers,
      },
    ];
  }

  #case(line: number, content: z.infer<typeof fields.case>): Step[] {
    const steps: Step[] = [];
    if (content.t_expr && content.t_varno !== undefined) {
      steps.push({
        kind: 'assign',
        line,
        target: this.#names.target(content.t_varno),
        expression: this.#names.code(content.t_expr, line),
      });
    }
    const arms = content.case_when_list.map((item) => {
      const when = fields.caseWhen.parse(item.PLpgSQL_case_when);
      return {
        condition: this.#names.code(when.expr, when.lineno),
        line: when.lineno,
        body: this.steps(when.stmts),
      };
    });
    const missing: Step = {
      kind: 'raise',
      line,
      level: 'exception',
      message: 'case not found',
      again: false,
    };
    const otherwise = content.have_else ? this.steps(content.else_stmts) : [missing];
    return [...steps, { kind: 'if', line, arms, otherwise }];
  }
}
