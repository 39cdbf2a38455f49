/**
 * Evaluates a routine symbolically: takes its steps in order, and for every table keeps the
 * version that is current. What can't be translated becomes a refusal on the tables and variables
 * that it would have set; only what lasts and needs them is refused in the end.
 */
import type { Routine } from '../catalog/types.ts';
import { routineId } from '../catalog/names.ts';
import { StateEnvironment } from './binding.ts';
import { applyCall, callRoutine, noteSideEffect } from './control/call.ts';
import { applyDynamic } from './control/dynamic.ts';
import { applyBlock } from './control/block.ts';
import { applyIf } from './control/branch.ts';
import { applyExit, applyForArray, applyForQuery, applyForRange } from './control/loop.ts';
import { fetchedLoop, isReadByLoop, openCursor } from './control/cursor.ts';
import { applyWhile } from './control/while.ts';
import { assignValue } from './control/variables.ts';
import { evaluateExpression } from './control/expressions.ts';
import {
  applyDiagnostics,
  applyReturn,
  applyReturnNext,
  applyReturnQuery,
} from './control/results.ts';
import { effects } from './control/effects.ts';
import type { Fragment } from './fragment.ts';
import { sql } from './fragment.ts';
import type { CodeText, Step } from './program.ts';
import { makeRefusal, RefusalError } from './refusals.ts';
import type { Place, RefusalCode } from './refusals.ts';
import { Session } from './session.ts';
import type { LoopAccesses } from './control/independence.ts';
import type { State } from './state.ts';
import { withPoison, withTable } from './state.ts';
import { readStatement } from './postgres/statement.ts';
import { applyStatement } from './statement.ts';
import { committed } from './tables-made.ts';
import type { Refusal } from './types.ts';

export interface CursorQuery {
  readonly query: CodeText;
  readonly parameters: readonly string[];
}

/** How a list of steps ended. */
type Ending = 'falls-through' | 'returns' | 'raises' | 'leaves-loop' | 'next-row';

export interface Flow {
  readonly state: State;
  readonly ending: Ending;
}

export class Evaluation {
  readonly session: Session;
  readonly routine: Routine;
  /** Conditions of the branches around the step that is being evaluated, outermost first. */
  readonly path: Fragment[] = [];
  /** Queries of declared and opened cursors, by name. */
  readonly cursors = new Map<string, CursorQuery>();
  /** Arguments with which a cursor was opened. */
  readonly cursorArguments = new Map<string, CodeText | null>();
  /** Reads and writes of the loops that are being evaluated, innermost last. */
  readonly loops: LoopAccesses[] = [];

  constructor(session: Session, routine: Routine) {
    this.session = session;
    this.routine = routine;
    session.sideEffect = (called, refusal) => noteSideEffect(this, called, refusal);
  }

  /** An evaluation of a routine that is called here: what it does is done in this session. */
  of(routine: Routine): Evaluation {
    const inner = new Evaluation(this.session, routine);
    inner.path.push(...this.path);
    return inner;
  }

  /** An evaluation of the same routine whose findings are thrown away. */
  probe(routine: Routine = this.routine): Evaluation {
    const session = new Session(
      this.session.index,
      this.session.facts,
      this.session.effects,
      this.session.inScope,
    );
    const probe = new Evaluation(session, routine);
    session.callStack.push(...this.session.callStack, routineId(routine));
    for (const [name, cursor] of this.cursors) probe.cursors.set(name, cursor);
    return probe;
  }

  environment(state: State): StateEnvironment {
    return new StateEnvironment(this.session, state, this.routine);
  }

  run(steps: readonly Step[], state: State): Flow {
    let flow: Flow = { state, ending: 'falls-through' };
    for (const [index, step] of steps.entries()) {
      if (step.kind === 'open' && isReadByLoop(steps, index, step.cursor)) {
        openCursor(this, step);
        continue;
      }
      const fetched = fetchedLoop(step, steps[index + 1]);
      if (fetched) {
        flow = this.step(fetched, flow.state);
        continue;
      }
      if (fetchedLoop(steps[index - 1], step)) continue;
      flow = this.step(step, flow.state);
      if (flow.ending !== 'falls-through') return flow;
    }
    return flow;
  }

  /** One step. A refusal inside it marks what the step would have set, and the rest goes on. */
  step(step: Step, state: State): Flow {
    if (this.session.callStack.length === 1) this.session.steps += 1;
    try {
      return this.#apply(step, state);
    } catch (error) {
      const construct = 'code' in step ? step.code.text : step.kind;
      const refusal = this.refusalOf(error, step.line, construct);
      return { state: this.#marked(step, state, refusal), ending: 'falls-through' };
    }
  }

  #apply(step: Step, state: State): Flow {
    const on = (next: State): Flow => ({ state: next, ending: 'falls-through' });
    switch (step.kind) {
      case 'statement':
        return on(this.#statement(step, state));
      case 'perform':
        return on(this.#perform(step.query, state));
      case 'assign':
        return on(this.#assign(step, state));
      case 'if':
        return applyIf(this, step, state);
      case 'block':
        return applyBlock(this, step, state);
      case 'for-query':
        return on(applyForQuery(this, step, state));
      case 'for-range':
        return on(applyForRange(this, step, state));
      case 'while':
        return on(applyWhile(this, step, state));
      case 'execute':
        return on(applyDynamic(this, step, state));
      case 'raise':
        return this.#raise(step, state);
      case 'assert': {
        const holds = evaluateExpression(this, step.condition, state);
        this.raiseWhen(sql`(${holds.sql}) is not true`, step.message, step.line);
        return on(state);
      }
      case 'return':
        return { state: applyReturn(this, step.value, state), ending: 'returns' };
      case 'return-query':
        return on(applyReturnQuery(this, step, state));
      case 'diagnostics':
        return on(applyDiagnostics(this, step, state));
      case 'transaction':
        if (step.action === 'rollback')
          throw this.refusal(
            'transaction-control',
            step.line,
            'ROLLBACK',
            'ROLLBACK takes back what was done before it.',
          );
        this.session.note(
          'commit',
          step.line,
          'COMMIT is left out: each model commits as a whole.',
        );
        return on(committed(this, state, step.line));
      case 'exit':
        return applyExit(this, step, state);
      case 'for-array':
        return on(applyForArray(this, step, state));
      case 'close':
        return on(state);
      case 'open':
      case 'fetch':
        throw this.refusal(
          'cursor',
          step.line,
          step.kind.toUpperCase(),
          'The cursor is moved by hand.',
        );
      case 'return-next':
        return on(applyReturnNext(this, step, state));
      case 'unknown':
        throw this.refusal(
          'statement',
          step.line,
          step.construct,
          'The construct is not known to the translator.',
        );
    }
  }

  refusal(code: RefusalCode, line: number, construct: string, message: string): RefusalError {
    return new RefusalError(makeRefusal(code, { line, construct }, message));
  }

  /** What an error inside the translation of a step says to people. */
  refusalOf(error: unknown, line: number, construct: string): Refusal {
    if (error instanceof RefusalError) return error.refusal;
    const place: Place = { line, construct };
    if (error instanceof RangeError)
      return makeRefusal('too-large', place, 'The statement is nested too deeply.');
    const message = error instanceof Error ? error.message : String(error);
    return makeRefusal('parse-error', place, `The statement does not parse: ${message}.`);
  }

  /** Binds and applies one SQL statement. */
  statement(
    code: CodeText,
    state: State,
    into: readonly (readonly string[])[] | null,
    strict: boolean,
  ): State {
    const environment = this.environment(state);
    try {
      const parts = readStatement(code, environment);
      return applyStatement(this, parts, state, code, into, strict);
    } catch (error) {
      if (!(error instanceof RefusalError) || environment.lastTarget === null) throw error;
      return this.markTable(environment.lastTarget, state, error.refusal, environment.lastAdds);
    }
  }

  #statement(step: Extract<Step, { kind: 'statement' }>, state: State): State {
    const [target = null] = step.into ?? [];
    const called = callRoutine(this, step.code, state, target);
    return called ?? this.statement(step.code, state, step.into, step.strict);
  }

  #perform(query: CodeText, state: State): State {
    const called = callRoutine(this, query, state, null);
    if (called) return called;
    const environment = this.environment(state);
    const parts = readStatement(query, environment);
    return applyStatement(this, parts, state, query, null, false);
  }

  #assign(step: Extract<Step, { kind: 'assign' }>, state: State): State {
    const called = applyCall(this, step.expression, state, step.target);
    if (called) return called;
    return assignValue(
      this,
      state,
      step.target,
      evaluateExpression(this, step.expression, state),
      step.line,
    );
  }

  #raise(step: Extract<Step, { kind: 'raise' }>, state: State): Flow {
    if (step.level === 'message') {
      this.session.note(
        'left-out',
        step.line,
        'RAISE of a message is left out: it changes no rows.',
      );
      return { state, ending: 'falls-through' };
    }
    return { state, ending: 'raises' };
  }

  /** Notes that the routine raises an error under a condition, on the path taken so far. */
  raiseWhen(condition: Fragment, message: string, line: number): void {
    const here = this.session.returns.reduceRight<Fragment>(
      (inner, early) => sql`(${early.condition}) is not true and (${inner})`,
      this.onPath(condition),
    );
    this.session.raises.push({ condition: here, message, line });
  }

  /** A condition together with those of the branches around it. */
  onPath(condition: Fragment): Fragment {
    return this.path.reduceRight<Fragment>(
      (inner, outer) => sql`(${outer}) and (${inner})`,
      condition,
    );
  }

  markTable(key: string, state: State, refusal: Refusal, adds = false): State {
    const dot = key.indexOf('.');
    const table =
      state.tables.get(key) ??
      this.environment(state).shapeOf({ schema: key.slice(0, dot), name: key.slice(dot + 1) });
    if (!table) {
      this.session.refusals.push(refusal);
      return state;
    }
    return withTable(state, key, {
      ...table,
      refusal,
      addsRows: table.addsRows || adds,
      lines: table.lines ?? { first: refusal.line, last: refusal.line },
    });
  }

  /** Marks everything that a step could have set. */
  #marked(step: Step, state: State, refusal: Refusal): State {
    const { tables, variables, known } = effects(step, this.environment(state));
    if (!known || (tables.length === 0 && variables.length === 0))
      this.session.refusals.push(refusal);
    let next = state;
    for (const key of tables) next = this.markTable(key, next, refusal);
    for (const target of variables) next = withPoison(next, target, refusal);
    return next;
  }
}
