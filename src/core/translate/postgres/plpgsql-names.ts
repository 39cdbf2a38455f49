import type { Routine } from '../../catalog/types.ts';
import { commentsByLine } from './comments.ts';
import type { fields } from './plpgsql-tree.ts';
import type { Datum, Expression, TargetTree } from './plpgsql-tree.ts';
import type { CodeText, LoopSource, Target } from '../program.ts';
import { numbered } from '../state.ts';
import type { z } from 'zod';

/** Names and texts of a PL/pgSQL tree: its variables by number, its expressions with their lines. */
export class Names {
  readonly datums: readonly Datum[];
  readonly #numbered = new Set<number>();
  readonly #comments: (line: number, firstWord: string) => readonly string[];

  constructor(routine: Routine, datums: readonly Datum[]) {
    this.datums = datums;
    this.#comments = commentsByLine(routine.body);
  }

  /** The text of an expression, with the comments before it. */
  code(expression: Expression, line: number): CodeText {
    const written = expression.PLpgSQL_expr.query;
    const text = written.trimStart();
    const firstWord = text.split(/\s/u, 1)[0] ?? '';
    return { text: text.trimEnd(), line, comments: this.#comments(line, firstWord) };
  }

  /** Where a statement puts its values. */
  targets(target: TargetTree | undefined): Target[] {
    if (target?.PLpgSQL_row)
      return target.PLpgSQL_row.fields.map((field) => this.target(field.varno));
    const name = target?.PLpgSQL_rec?.refname ?? target?.PLpgSQL_var?.refname;
    return name === undefined ? [] : [[name]];
  }

  /** Notes that a block declares a variable: from then on its number tells it from its namesakes. */
  declare(number: number): boolean {
    const shared = this.#isShared(number);
    if (shared) this.#numbered.add(number);
    return shared;
  }

  #isShared(number: number): boolean {
    const name = this.#variable(number)?.refname;
    return this.datums.filter((_item, index) => this.#variable(index)?.refname === name).length > 1;
  }

  #variable(
    number: number,
  ): { readonly refname: string; readonly lineno?: number | undefined } | undefined {
    const item = this.datums[number];
    return item?.PLpgSQL_var ?? item?.PLpgSQL_rec;
  }

  /** A variable, or the field of a record, by its number. */
  target(number: number): Target {
    const item = this.datums[number];
    if (item?.PLpgSQL_recfield) {
      return [...this.target(item.PLpgSQL_recfield.recparentno), item.PLpgSQL_recfield.fieldname];
    }
    const { refname = '', lineno } = this.#variable(number) ?? {};
    const isParameter = lineno === undefined && this.#isShared(number);
    return [isParameter || this.#numbered.has(number) ? numbered(refname, number) : refname];
  }

  /** The query of a loop, or of a cursor. */
  loopSource(line: number, dynamic: boolean, loop: z.infer<typeof fields.forQuery>): LoopSource {
    if (loop.curvar !== undefined) {
      return {
        kind: 'cursor',
        name: this.target(loop.curvar)[0] ?? '',
        arguments: loop.argquery ? this.code(loop.argquery, line) : null,
      };
    }
    const text = loop.query ? this.code(loop.query, line) : EMPTY_CODE;
    return dynamic
      ? {
          kind: 'dynamic',
          expression: text,
          using: loop.params.map((parameter) => this.code(parameter, line)),
        }
      : { kind: 'query', query: text };
  }
}

export const EMPTY_CODE: CodeText = { text: '', line: 0, comments: [] };
