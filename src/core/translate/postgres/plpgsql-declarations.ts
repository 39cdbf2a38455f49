import type { Routine } from '../../catalog/types.ts';
import { scan } from './parser.ts';
import type { Token } from './parser.ts';
import type { Names } from './plpgsql-names.ts';
import type { Datum } from './plpgsql-tree.ts';
import type { Declaration } from '../program.ts';

/** The parser holds the value that a CASE compares in a variable of its own, of no certain type. */
const OF_CASE = '__Case__Variable';

/** Takes a routine's variables out of the flat list in which the parser gives them. */
export class Declarations {
  readonly #names: Names;
  readonly #undeclared: Set<number>;
  /** Tokens of the body, until the outermost block has taken its aliases from them. */
  readonly #tokens: Token[];

  constructor(routine: Routine, names: Names) {
    this.#names = names;
    this.#undeclared = new Set(names.datums.keys());
    this.#tokens = /\balias\b/iu.test(routine.body) ? [...scan(routine.body)] : [];
  }

  /** Those of a block whose BEGIN stands on a line. */
  of(beginLine: number): Declaration[] {
    return [...this.#aliases(), ...this.#declarations(beginLine)];
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

  /** The variable that a loop makes for itself is listed with those of blocks: no block declares it. */
  leaveOut(name: string, line: number): void {
    for (const [number, item] of this.#names.datums.entries()) {
      const variable = item.PLpgSQL_var ?? item.PLpgSQL_rec;
      if (variable?.refname !== name || !this.#undeclared.has(number)) continue;
      if ((variable.lineno ?? 0) < line) continue;
      this.#undeclared.delete(number);
      return;
    }
  }

  /** Variables are listed flat; those declared before a block's BEGIN and in no block yet are its. */
  #declarations(beginLine: number): Declaration[] {
    if (beginLine === 0) return [];
    const found: Declaration[] = [];
    for (const [number, item] of this.#names.datums.entries()) {
      const variable = item.PLpgSQL_var ?? item.PLpgSQL_rec;
      const line = variable?.lineno;
      if (!variable || line === undefined || line > beginLine || !this.#undeclared.has(number))
        continue;
      this.#undeclared.delete(number);
      if (variable.refname.startsWith(OF_CASE)) continue;
      const shared = this.#names.declare(number);
      found.push({ ...this.#declaration(item, line), ...(shared ? { number } : {}) });
    }
    return found;
  }

  #declaration(item: Datum, line: number): Declaration {
    const initial = (item.PLpgSQL_var ?? item.PLpgSQL_rec)?.default_val;
    const cursor = item.PLpgSQL_var?.cursor_explicit_expr;
    const argumentRow =
      this.#names.datums[item.PLpgSQL_var?.cursor_explicit_argrow ?? -1]?.PLpgSQL_row;
    return {
      name: (item.PLpgSQL_var ?? item.PLpgSQL_rec)?.refname ?? '',
      type: item.PLpgSQL_var?.datatype?.PLpgSQL_type.typname ?? null,
      kind: item.PLpgSQL_rec
        ? 'record'
        : item.PLpgSQL_var?.datatype?.PLpgSQL_type.typname === 'refcursor'
          ? 'cursor'
          : 'scalar',
      initial: initial ? this.#names.code(initial, line) : null,
      cursor: cursor
        ? {
            query: this.#names.code(cursor, line),
            parameters: (argumentRow?.fields ?? []).map((field) => field.name ?? ''),
          }
        : null,
      line,
    };
  }
}
