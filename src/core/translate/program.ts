/**
 * A routine as a program: steps of control flow around statements that are still text.
 *
 * Both front ends give this. Texts are the author's, word for word; a statement is parsed when it
 * is evaluated, because what its names mean depends on the state at that moment.
 */

/** Text of the author with the line of the routine's body on which it starts. */
export interface CodeText {
  readonly text: string;
  readonly line: number;
  /** The author's comments directly before the statement. */
  readonly comments: readonly string[];
}

/** Where a value is put: a variable, or a field of a record variable. */
export type Target = readonly string[];

export interface Handler {
  readonly conditions: readonly string[];
  readonly line: number;
  readonly body: readonly Step[];
}

export interface Declaration {
  readonly name: string;
  /** Set where other variables of the routine have the same name. */
  readonly number?: number;
  /** Null for records and cursors. */
  readonly type: string | null;
  readonly kind: 'scalar' | 'record' | 'cursor';
  readonly initial: CodeText | null;
  readonly cursor: { readonly query: CodeText; readonly parameters: readonly string[] } | null;
  readonly line: number;
}

export type LoopSource =
  | { readonly kind: 'query'; readonly query: CodeText }
  | { readonly kind: 'cursor'; readonly name: string; readonly arguments: CodeText | null }
  | {
      readonly kind: 'dynamic';
      readonly expression: CodeText;
      readonly using: readonly CodeText[];
    };

export type Step =
  | {
      readonly kind: 'statement';
      readonly line: number;
      readonly code: CodeText;
      readonly into: readonly Target[] | null;
      readonly strict: boolean;
    }
  | {
      readonly kind: 'assign';
      readonly line: number;
      readonly target: Target;
      readonly expression: CodeText;
    }
  | {
      readonly kind: 'if';
      readonly line: number;
      readonly arms: readonly IfArm[];
      readonly otherwise: readonly Step[];
    }
  | {
      readonly kind: 'for-query';
      readonly line: number;
      readonly label: string | null;
      readonly targets: readonly Target[];
      readonly source: LoopSource;
      readonly body: readonly Step[];
    }
  | {
      readonly kind: 'for-range';
      readonly line: number;
      readonly label: string | null;
      readonly variable: string;
      readonly lower: CodeText;
      readonly upper: CodeText;
      readonly step: CodeText | null;
      readonly reverse: boolean;
      readonly body: readonly Step[];
    }
  | {
      readonly kind: 'for-array';
      readonly line: number;
      readonly label: string | null;
      readonly target: Target;
      readonly array: CodeText;
      readonly body: readonly Step[];
    }
  | {
      readonly kind: 'while';
      readonly line: number;
      readonly label: string | null;
      readonly condition: CodeText | null;
      readonly body: readonly Step[];
    }
  | {
      readonly kind: 'exit';
      readonly line: number;
      readonly label: string | null;
      readonly condition: CodeText | null;
      readonly again: boolean;
    }
  | {
      readonly kind: 'block';
      readonly line: number;
      readonly label: string | null;
      readonly declarations: readonly Declaration[];
      readonly body: readonly Step[];
      readonly handlers: readonly Handler[];
    }
  | {
      readonly kind: 'raise';
      readonly line: number;
      readonly level: 'exception' | 'message';
      readonly message: string;
      readonly again: boolean;
    }
  | {
      readonly kind: 'assert';
      readonly line: number;
      readonly condition: CodeText;
      readonly message: string;
    }
  | { readonly kind: 'return'; readonly line: number; readonly value: CodeText | null }
  | { readonly kind: 'return-query'; readonly line: number; readonly query: LoopSource }
  | { readonly kind: 'return-next'; readonly line: number; readonly value: CodeText | null }
  | { readonly kind: 'perform'; readonly line: number; readonly query: CodeText }
  | {
      readonly kind: 'execute';
      readonly line: number;
      readonly expression: CodeText;
      readonly using: readonly CodeText[];
      readonly into: readonly Target[] | null;
      readonly strict: boolean;
    }
  | {
      readonly kind: 'diagnostics';
      readonly line: number;
      readonly items: readonly { readonly item: string; readonly target: Target }[];
    }
  | { readonly kind: 'transaction'; readonly line: number; readonly action: 'commit' | 'rollback' }
  | {
      readonly kind: 'open';
      readonly line: number;
      readonly cursor: string;
      readonly query: LoopSource | null;
      readonly arguments: CodeText | null;
    }
  | {
      readonly kind: 'fetch';
      readonly line: number;
      readonly cursor: string;
      readonly targets: readonly Target[];
      readonly next: boolean;
      readonly move: boolean;
    }
  | { readonly kind: 'close'; readonly line: number; readonly cursor: string }
  | { readonly kind: 'unknown'; readonly line: number; readonly construct: string };

export interface IfArm {
  readonly condition: CodeText;
  readonly line: number;
  readonly body: readonly Step[];
}

/** All steps of a program, nested ones too, in the order of the text. */
export function* allSteps(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    for (const body of bodiesOf(step)) yield* allSteps(body);
  }
}

/** The step lists directly inside a step. */
export function bodiesOf(step: Step): readonly (readonly Step[])[] {
  if (step.kind === 'if') return [...step.arms.map((arm) => arm.body), step.otherwise];
  if (step.kind === 'block') return [step.body, ...step.handlers.map((handler) => handler.body)];
  if ('body' in step) return [step.body];
  return [];
}

/** Everything that a step, or a step inside it, puts a value into. */
export function assignedIn(step: Step): readonly Target[] {
  return [
    ...ownTargets(step),
    ...bodiesOf(step)
      .flat()
      .flatMap((inner) => assignedIn(inner)),
  ];
}

/** What a step itself puts a value into. */
export function ownTargets(step: Step): readonly Target[] {
  if (step.kind === 'assign') return [step.target];
  if (step.kind === 'diagnostics') return step.items.map((item) => item.target);
  if (step.kind === 'fetch') return step.targets;
  return 'into' in step && step.into ? step.into : [];
}
