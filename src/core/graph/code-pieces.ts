/**
 * A program's pieces of SQL in the order of the text, with the text of dynamic SQL worked out where
 * it is built from constants.
 */
import { constantOf } from '../translate/postgres/constants.ts';
import type { CodeText, LoopSource, Step, Target } from '../translate/program.ts';
import { allSteps } from '../translate/program.ts';
import type { Constant } from '../translate/state.ts';

export interface CodePiece {
  readonly line: number;
  readonly text: string;
  /** An expression is a statement once `SELECT` stands before it. */
  readonly form: 'statement' | 'expression';
  /**
   * False for dynamic SQL of which a part is known only at run time: `UNKNOWN_PART` stands for it.
   */
  readonly certain: boolean;
}

/** Stands for what only the run knows; no name of an author's holds it. */
export const UNKNOWN_PART = 'sprocket_unknown_part';

interface DynamicProblem {
  readonly line: number;
  readonly expression: string;
}

export interface Pieces {
  readonly pieces: readonly CodePiece[];
  /** Dynamic SQL whose text is not known, or not wholly. */
  readonly dynamic: readonly DynamicProblem[];
}

/** Known values of variables at one point of the text; what is not in it is not known. */
type Values = Map<string, Constant>;

export function piecesOf(steps: readonly Step[]): Pieces {
  const reader = new PieceReader();
  reader.steps(steps, new Map());
  return reader;
}

class PieceReader implements Pieces {
  readonly pieces: CodePiece[] = [];
  readonly dynamic: DynamicProblem[] = [];

  /** Changes `values` to what is known after the steps. */
  steps(steps: readonly Step[], values: Values): void {
    for (const step of steps) this.#step(step, values);
  }

  #step(step: Step, values: Values): void {
    switch (step.kind) {
      case 'statement':
        this.#statement(step.code);
        break;
      case 'perform':
        this.#statement(step.query);
        break;
      case 'assign':
        this.#expression(step.expression);
        assign(values, step.target, valueOf(step.expression.text, values));
        return;
      case 'execute':
        this.#dynamicText(step.expression, values);
        for (const value of step.using) this.#expression(value);
        break;
      case 'if':
        this.#branches(step, values);
        return;
      case 'block':
        this.#block(step, values);
        return;
      case 'for-query':
        this.#source(step.source, values);
        break;
      case 'for-range':
        for (const bound of [step.lower, step.upper, step.step]) this.#expression(bound);
        break;
      case 'for-array':
        this.#expression(step.array);
        break;
      case 'while':
      case 'exit':
      case 'assert':
        this.#expression(step.condition);
        break;
      case 'return':
      case 'return-next':
        this.#expression(step.value);
        break;
      case 'return-query':
        this.#source(step.query, values);
        break;
      case 'open':
        this.#source(step.query, values);
        this.#expression(step.arguments);
        break;
      case 'raise':
      case 'diagnostics':
      case 'transaction':
      case 'fetch':
      case 'close':
      case 'unknown':
        break;
    }
    forgetAssigned(values, [step]);
    if ('body' in step) this.#loop(step.body, values);
  }

  /** What an iteration changes is not known in any of them. */
  #loop(body: readonly Step[], values: Values): void {
    forgetAssigned(values, body);
    this.steps(body, new Map(values));
  }

  #branches(step: Extract<Step, { kind: 'if' }>, values: Values): void {
    const ends: Values[] = [];
    for (const arm of step.arms) {
      this.#expression(arm.condition);
      const inside = new Map(values);
      this.steps(arm.body, inside);
      ends.push(inside);
    }
    const otherwise = new Map(values);
    this.steps(step.otherwise, otherwise);
    keepEqual(values, [...ends, otherwise]);
  }

  #block(step: Extract<Step, { kind: 'block' }>, values: Values): void {
    for (const { name, initial, cursor } of step.declarations) {
      this.#expression(initial);
      if (cursor !== null) this.#statement(cursor.query);
      assign(values, [name], initial === null ? undefined : valueOf(initial.text, values));
    }
    const before = new Map(values);
    this.steps(step.body, values);
    forgetAssigned(before, step.body);
    const ends = step.handlers.map((handler) => {
      const inside = new Map(before);
      this.steps(handler.body, inside);
      return inside;
    });
    if (ends.length > 0) keepEqual(values, [new Map(values), ...ends]);
  }

  #source(source: LoopSource | null, values: Values): void {
    if (source?.kind === 'query') this.#statement(source.query);
    if (source?.kind === 'cursor' && source.arguments !== null) this.#statement(source.arguments);
    if (source?.kind !== 'dynamic') return;
    this.#dynamicText(source.expression, values);
    for (const value of source.using) this.#expression(value);
  }

  #statement({ text, line }: CodeText): void {
    this.pieces.push({ line, text, form: 'statement', certain: true });
  }

  /** Without a bracket and a FROM there is no table and no call in an expression. */
  #expression(code: CodeText | null): void {
    if (code === null) return;
    const { text, line } = code;
    if (!text.includes('(') && !text.toLowerCase().includes('from')) return;
    this.pieces.push({ line, text, form: 'expression', certain: true });
  }

  #dynamicText(expression: CodeText, values: Values): void {
    const { line } = expression;
    this.#expression(expression);
    const known = valueOf(expression.text, values);
    if (typeof known === 'string') {
      this.pieces.push({ line, text: known, form: 'statement', certain: true });
      return;
    }
    this.dynamic.push({ line, expression: expression.text });
    const sketch = valueOf(expression.text, values, UNKNOWN_PART);
    if (typeof sketch === 'string' && sketch !== UNKNOWN_PART) {
      this.pieces.push({ line, text: sketch, form: 'statement', certain: false });
    }
  }
}

function valueOf(expression: string, values: Values, otherwise?: string): Constant | undefined {
  try {
    return constantOf(expression, (path) => {
      const key = path.join('.');
      return values.has(key) ? values.get(key) : otherwise;
    });
  } catch {
    // What does not parse has no value; the statement itself is reported elsewhere.
    return undefined;
  }
}

function assign(values: Values, target: Target, value: Constant | undefined): void {
  if (value === undefined) values.delete(target.join('.'));
  else values.set(target.join('.'), value);
}

function forgetAssigned(values: Values, steps: readonly Step[]): void {
  if (values.size === 0) return;
  for (const step of allSteps(steps)) {
    for (const target of targetsOf(step)) values.delete(target.join('.'));
    // A CALL hands its INOUT arguments back.
    if (step.kind === 'statement' && step.code.text.slice(0, 4).toLowerCase() === 'call') {
      for (const name of values.keys()) if (step.code.text.includes(name)) values.delete(name);
    }
  }
}

function targetsOf(step: Step): readonly Target[] {
  switch (step.kind) {
    case 'statement':
    case 'execute':
      return step.into ?? [];
    case 'assign':
    case 'for-array':
      return [step.target];
    case 'for-query':
    case 'fetch':
      return step.targets;
    case 'for-range':
      return [[step.variable]];
    case 'diagnostics':
      return step.items.map((item) => item.target);
    default:
      return [];
  }
}

/** Keeps in `values` only what is the same at the end of every path. */
function keepEqual(values: Values, ends: readonly Values[]): void {
  const [first, ...others] = ends;
  values.clear();
  for (const [name, value] of first ?? []) {
    if (others.every((end) => end.has(name) && end.get(name) === value)) values.set(name, value);
  }
}
