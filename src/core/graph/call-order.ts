/** The order in which routines run, as those that call them tell. */
import type { RoutineEffects } from './effect-types.ts';

/**
 * For each routine of the catalog: the routines in scope that it calls, also by way of others, in
 * the order in which they end. One that is called several times stands there with its first and its
 * last time.
 */
export function callOrders(
  inScope: ReadonlySet<string>,
  effects: ReadonlyMap<string, RoutineEffects>,
): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, readonly string[]>();
  for (const routine of effects.keys()) {
    if (!known.has(routine)) addOrders(routine, inScope, effects, known);
  }
  return known;
}

interface Frame {
  readonly routine: string;
  readonly calls: readonly string[];
  readonly order: string[];
  next: number;
}

/** Works with a stack of its own: chains of calls may be as long as the plan. */
function addOrders(
  root: string,
  inScope: ReadonlySet<string>,
  effects: ReadonlyMap<string, RoutineEffects>,
  known: Map<string, readonly string[]>,
): void {
  const stack: Frame[] = [];
  const running = new Set<string>();
  const enter = (routine: string): void => {
    const calls = (effects.get(routine)?.statements ?? []).flatMap((each) => each.calls);
    stack.push({ routine, calls, order: [], next: 0 });
    running.add(routine);
  };
  enter(root);
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const called = frame.calls[frame.next];
    if (called === undefined) {
      known.set(frame.routine, firstAndLast(frame.order));
      running.delete(frame.routine);
      stack.pop();
      continue;
    }
    const before = known.get(called);
    if (before === undefined && !running.has(called)) {
      enter(called);
      continue;
    }
    // A call back to a routine that is still running tells nothing of the order.
    frame.order.push(...(before ?? []));
    if (before !== undefined && inScope.has(called)) frame.order.push(called);
    frame.next += 1;
  }
}

function firstAndLast(order: readonly string[]): readonly string[] {
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  for (const [at, routine] of order.entries()) {
    if (!first.has(routine)) first.set(routine, at);
    last.set(routine, at);
  }
  return order.filter((routine, at) => first.get(routine) === at || last.get(routine) === at);
}
