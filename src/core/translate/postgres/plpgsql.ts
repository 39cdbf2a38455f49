/** Reads a PL/pgSQL routine into a program. */
import { z } from 'zod';
import type { Routine } from '../../catalog/types.ts';
import type { CodeText, Declaration, Handler, LoopSource, Step, Target } from '../program.ts';
import { commentsByLine } from './comments.ts';
import { parsePlpgsql, scan } from './parser.ts';
import type { Token } from './parser.ts';
import { fields, functionTree } from './plpgsql-tree.ts';
import type { Datum, Expression, TargetTree, TreeNode } from './plpgsql-tree.ts';

const NEXT = 0;
const EXCEPTION_LEVEL = 21;

/** Throws the parser's error where the body does not parse. */
export function readPlpgsql(routine: Routine): readonly Step[] {
  const tree = functionTree.parse(parsePlpgsql(withoutRowTypes(routine.definition)));
  const parsed = tree.plpgsql_funcs[0]?.PLpgSQL_function;
  if (!parsed) return [];
  return new Reader(routine, parsed.datums).steps([parsed.action]);
}

/**
 * The parser runs without a catalog and rejects fields of `table%ROWTYPE` variables. To the
 * translator a row variable is a record, so the type is blanked out, positions kept.
 */
function withoutRowTypes(definition: string): string {
  if (!/%\s*rowtype/iu.test(definition)) return definition;
  let result = definition;
  const bodies = scan(definition).filter(
    (token) => token.kind === 'string' && token.text.startsWith('$'),
  );
  for (const body of bodies) {
    const open = body.text.indexOf('$', 1) + 1;
    const inner = body.text.slice(open, -open);
    const tokens = scan(inner);
    for (const [index, token] of tokens.entries()) {
      if (token.text.toUpperCase() !== 'ROWTYPE' || tokens[index - 1]?.text !== '%') continue;
      let first = index - 2;
      while (tokens[first - 1]?.text === '.') first -= 2;
      const start = body.start + open + (tokens[first]?.start ?? 0);
      const end = body.start + open + token.end;
      result =
        result.slice(0, start) +
        'record'.padEnd(end - start).slice(0, Math.max(end - start, 6)) +
        result.slice(end);
    }
  }
  return result;
}

class Reader {
  readonly #datums: readonly Datum[];
  readonly #undeclared: Set<number>;
  /** Tokens of the body, until the outermost block has taken its aliases from them. */
  readonly #tokens: Token[];
  readonly #comments: (line: number, firstWord: string) => readonly string[];

  constructor(routine: Routine, datums: readonly Datum[]) {
    this.#datums = datums;
    this.#comments = commentsByLine(routine.body);
    this.#undeclared = new Set(datums.keys());
    this.#tokens = /\balias\b/iu.test(routine.body) ? [...scan(routine.body)] : [];
  }

  steps(nodes: readonly TreeNode[]): Step[] {
    return nodes.flatMap((node) => this.#step(node));
  }

  #step(node: TreeNode): Step[] {
    const [kind, content] = Object.entries(node)[0] ?? ['', {}];
    const line = z.number().default(0).parse(content.lineno);
    const code = (expression: Expression): CodeText => this.#code(expression, line);
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
            into: into ? this.#targets(target) : null,
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
        return [this.#assign(line, varno, code(expr))];
      }
      case 'PLpgSQL_stmt_if': {
        const { cond, then_body, elsif_list, else_body } = fields.conditional.parse(content);
        const arms = [{ condition: code(cond), line, body: this.steps(then_body) }];
        for (const item of elsif_list) {
          const elsif = fields.elsif.parse(item.PLpgSQL_if_elsif);
          arms.push({
            condition: this.#code(elsif.cond, elsif.lineno),
            line: elsif.lineno,
            body: this.steps(elsif.stmts),
          });
        }
        return [{ kind: 'if', line, arms, otherwise: this.steps(else_body) }];
      }
      case 'PLpgSQL_stmt_case':
        return this.#case(line, fields.case.parse(content));
      case 'PLpgSQL_stmt_loop':
      case 'PLpgSQL_stmt_while': {
        const { label, body, cond } = fields.loop.parse(content);
        return [
          {
            kind: 'while',
            line,
            label: label ?? null,
            condition: cond ? code(cond) : null,
            body: this.steps(body),
          },
        ];
      }
      case 'PLpgSQL_stmt_fori': {
        const loop = fields.fori.parse(content);
        const variable = this.#targets(loop.var)[0]?.[0] ?? '';
        return [
          {
            kind: 'for-range',
            line,
            label: loop.label ?? null,
            variable,
            reverse: loop.reverse,
            lower: code(loop.lower),
            upper: code(loop.upper),
            step: loop.step ? code(loop.step) : null,
            body: this.steps(loop.body),
          },
        ];
      }
      case 'PLpgSQL_stmt_fors':
      case 'PLpgSQL_stmt_forc':
      case 'PLpgSQL_stmt_dynfors': {
        const loop = fields.forQuery.parse(content);
        const source = this.#source(line, kind === 'PLpgSQL_stmt_dynfors', loop);
        return [
          {
            kind: 'for-query',
            line,
            label: loop.label ?? null,
            targets: this.#targets(loop.var),
            source,
            body: this.steps(loop.body),
          },
        ];
      }
      case 'PLpgSQL_stmt_foreach_a': {
        const loop = fields.foreach.parse(content);
        return [
          {
            kind: 'for-array',
            line,
            label: loop.label ?? null,
            target: this.#target(loop.varno),
            array: code(loop.expr),
            body: this.steps(loop.body),
          },
        ];
      }
      case 'PLpgSQL_stmt_exit': {
        const { is_exit, label, cond } = fields.exit.parse(content);
        return [
          {
            kind: 'exit',
            line,
            label: label ?? null,
            condition: cond ? code(cond) : null,
            again: !is_exit,
          },
        ];
      }
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
            into: into ? this.#targets(target) : null,
            strict,
          },
        ];
      }
      case 'PLpgSQL_stmt_getdiag': {
        const items = fields.diagnostics
          .parse(content)
          .diag_items.map(({ PLpgSQL_diag_item: item }) => ({
            item: item.kind,
            target: this.#target(item.target),
          }));
        return [{ kind: 'diagnostics', line, items }];
      }
      case 'PLpgSQL_stmt_commit':
        return [{ kind: 'transaction', line, action: 'commit' }];
      case 'PLpgSQL_stmt_rollback':
        return [{ kind: 'transaction', line, action: 'rollback' }];
      case 'PLpgSQL_stmt_open': {
        const open = fields.open.parse(content);
        const query: LoopSource | null = open.query
          ? { kind: 'query', query: code(open.query) }
          : open.dynquery
            ? { kind: 'dynamic', expression: code(open.dynquery), using: open.params.map(code) }
            : null;
        return [
          {
            kind: 'open',
            line,
            cursor: this.#target(open.curvar)[0] ?? '',
            query,
            arguments: open.argquery ? code(open.argquery) : null,
          },
        ];
      }
      case 'PLpgSQL_stmt_fetch': {
        const { target, curvar, direction, how_many, expr, is_move } = fields.fetch.parse(content);
        const next = direction === NEXT && how_many === 1 && expr === undefined;
        return [
          {
            kind: 'fetch',
            line,
            cursor: this.#target(curvar)[0] ?? '',
            targets: this.#targets(target),
            next,
            move: is_move,
          },
        ];
      }
      case 'PLpgSQL_stmt_close':
        return [
          {
            kind: 'close',
            line,
            cursor: this.#target(fields.close.parse(content).curvar)[0] ?? '',
          },
        ];
      default:
        return [
          { kind: 'unknown', line, construct: kind.replace('PLpgSQL_stmt_', '').toUpperCase() },
        ];
    }
  }

  #block(block: z.infer<typeof fields.block>): Step[] {
    const declarations = [...this.#aliases(), ...this.#declarations(block.lineno)];
    const body = this.steps(block.body);
    const exceptions = block.exceptions
      ? fields.exceptionBlock.parse(block.exceptions.PLpgSQL_exception_block).exc_list
      : [];
    const handlers = exceptions.map((item): Handler => {
      const { conditions, action, lineno } = fields.exception.parse(item.PLpgSQL_exception);
      return {
        conditions: conditions.map(
          (condition) => fields.condition.parse(condition.PLpgSQL_condition).condname,
        ),
        line: lineno,
        body: this.steps(action),
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

  /** `name ALIAS FOR $1` leaves no trace in the parser's list: read from the text, once. */
  #aliases(): Declaration[] {
    const tokens = this.#tokens.splice(0);
    return tokens.flatMap((token, index): Declaration[] => {
      const [alias, preposition, target] = [
        tokens[index + 1],
        tokens[index + 2],
        tokens[index + 3],
      ];
      if (
        alias?.keyword !== null ||
        alias.text.toUpperCase() !== 'ALIAS' ||
        preposition?.keyword !== 'FOR'
      )
        return [];
      if (token.kind !== 'word' || target === undefined) return [];
      const initial = { text: target.text, line: 1, comments: [] };
      return [
        {
          name: token.text.toLowerCase(),
          type: null,
          kind: 'scalar',
          initial,
          cursor: null,
          line: 1,
        },
      ];
    });
  }

  /** Variables are listed flat; those declared before a block's BEGIN and in no block yet are its. */
  #declarations(beginLine: number): Declaration[] {
    if (beginLine === 0) return [];
    const found: Declaration[] = [];
    for (const [number, item] of this.#datums.entries()) {
      const variable = item.PLpgSQL_var ?? item.PLpgSQL_rec;
      const line = variable?.lineno;
      if (!variable || line === undefined || line > beginLine || !this.#undeclared.has(number))
        continue;
      this.#undeclared.delete(number);
      found.push(this.#declaration(item, line));
    }
    return found;
  }

  #declaration(item: Datum, line: number): Declaration {
    const initial = (item.PLpgSQL_var ?? item.PLpgSQL_rec)?.default_val;
    const cursor = item.PLpgSQL_var?.cursor_explicit_expr;
    const argumentRow = this.#datums[item.PLpgSQL_var?.cursor_explicit_argrow ?? -1]?.PLpgSQL_row;
    return {
      name: (item.PLpgSQL_var ?? item.PLpgSQL_rec)?.refname ?? '',
      type: item.PLpgSQL_var?.datatype?.PLpgSQL_type.typname ?? null,
      kind: item.PLpgSQL_rec
        ? 'record'
        : item.PLpgSQL_var?.datatype?.PLpgSQL_type.typname === 'refcursor'
          ? 'cursor'
          : 'scalar',
      initial: initial ? this.#code(initial, line) : null,
      cursor: cursor
        ? {
            query: this.#code(cursor, line),
            parameters: (argumentRow?.fields ?? []).map((field) => field.name ?? ''),
          }
        : null,
      line,
    };
  }

  #case(line: number, content: z.infer<typeof fields.case>): Step[] {
    const steps: Step[] = [];
    if (content.t_expr && content.t_varno !== undefined) {
      steps.push({
        kind: 'assign',
        line,
        target: this.#target(content.t_varno),
        expression: this.#code(content.t_expr, line),
      });
    }
    const arms = content.case_when_list.map((item) => {
      const when = fields.caseWhen.parse(item.PLpgSQL_case_when);
      return {
        condition: this.#code(when.expr, when.lineno),
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

  #source(line: number, dynamic: boolean, loop: z.infer<typeof fields.forQuery>): LoopSource {
    if (loop.curvar !== undefined) {
      return {
        kind: 'cursor',
        name: this.#target(loop.curvar)[0] ?? '',
        arguments: loop.argquery ? this.#code(loop.argquery, line) : null,
      };
    }
    const text = loop.query ? this.#code(loop.query, line) : EMPTY_CODE;
    return dynamic
      ? {
          kind: 'dynamic',
          expression: text,
          using: loop.params.map((parameter) => this.#code(parameter, line)),
        }
      : { kind: 'query', query: text };
  }

  /** `name := expression`, where the text holds both sides. */
  #assign(line: number, varno: number, code: CodeText): Step {
    const tokens = scan(code.text);
    let depth = 0;
    const operator = tokens.findIndex((token) => {
      if (token.text === '[' || token.text === '(') depth += 1;
      if (token.text === ']' || token.text === ')') depth -= 1;
      return depth === 0 && (token.text === ':=' || token.text === '=');
    });
    const start = operator < 0 ? 0 : (tokens[operator]?.end ?? 0);
    const skipped = code.text.slice(0, start);
    const leading = code.text.slice(start).length - code.text.slice(start).trimStart().length;
    if (skipped.includes('[') || this.#isShadowed(varno, skipped))
      return { kind: 'unknown', line, construct: code.text };
    return {
      kind: 'assign',
      line,
      target: this.#target(varno),
      expression: {
        ...code,
        text: code.text.slice(start + leading),
        line: line + newlines(code.text.slice(0, start + leading)),
      },
    };
  }

  /** `label.name := …` where an inner variable has the same name: it can't be told by its name. */
  #isShadowed(varno: number, target: string): boolean {
    const name = this.#target(varno)[0];
    const same = this.#datums.filter(
      (item) => (item.PLpgSQL_var ?? item.PLpgSQL_rec)?.refname === name && !item.PLpgSQL_recfield,
    );
    return same.length > 1 && target.includes('.') && this.#target(varno).length === 1;
  }

  #code(expression: Expression, line: number): CodeText {
    const written = expression.PLpgSQL_expr.query;
    const text = written.trimStart();
    const firstWord = text.split(/\s/u, 1)[0] ?? '';
    return { text: text.trimEnd(), line, comments: this.#comments(line, firstWord) };
  }

  #targets(target: TargetTree | undefined): Target[] {
    if (target?.PLpgSQL_row)
      return target.PLpgSQL_row.fields.map((field) => this.#target(field.varno));
    const name = target?.PLpgSQL_rec?.refname ?? target?.PLpgSQL_var?.refname;
    return name === undefined ? [] : [[name]];
  }

  #target(number: number): Target {
    const item = this.#datums[number];
    if (item?.PLpgSQL_recfield) {
      return [...this.#target(item.PLpgSQL_recfield.recparentno), item.PLpgSQL_recfield.fieldname];
    }
    return [(item?.PLpgSQL_var ?? item?.PLpgSQL_rec)?.refname ?? ''];
  }
}

const EMPTY_CODE: CodeText = { text: '', line: 0, comments: [] };

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
