/** Effects of routines as a plan sees them: helpers that it leaves out count for their callers. */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { RoutineEffects } from './effect-types.ts';

export interface ScopeEffects {
  /** Tables that are read, by `schema.name`. */
  readonly reads: ReadonlyMap<string, QualifiedName>;
  readonly writes: ReadonlyMap<string, QualifiedName>;
  /** Routines in scope that are called, also by way of others that are not. */
  readonly calls: readonly string[];
}

/** Effects by routine, for each routine in scope. `ignored` holds tables by `schema.name`. */
export function scopeEffects(
  scope: readonly string[],
  effects: ReadonlyMap<string, RoutineEffects>,
  ignored: ReadonlySet<string>,
): ReadonlyMap<string, ScopeEffects> {
  const inScope = new Set(scope);
  return new Map(scope.map((routine) => [routine, effectsOf(routine, inScope, effects, ignored)]));
}

function effectsOf(
  routine: string,
  inScope: ReadonlySet<string>,
  effects: ReadonlyMap<string, RoutineEffects>,
  ignored: ReadonlySet<string>,
): ScopeEffects {
  const reads = new Map<string, QualifiedName>();
  const writes = new Map<string, QualifiedName>();
  const calls = new Set<string>();
  const seen = new Set([routine]);
  const pending = [routine];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const found = effects.get(at);
    for (const name of found?.reads ?? []) addTable(reads, name, ignored);
    for (const name of found?.writes ?? []) addTable(writes, name, ignored);
    for (const called of found?.calls ?? []) {
      if (called === routine) continue;
      if (inScope.has(called)) calls.add(called);
      else if (!seen.has(called)) {
        seen.add(called);
        pending.push(called);
      }
    }
  }
  return { reads, writes, calls: [...calls] };
}

function addTable(
  tables: Map<string, QualifiedName>,
  name: QualifiedName,
  ignored: ReadonlySet<string>,
): void {
  const key = qualified(name);
  if (!ignored.has(key)) tables.set(key, name);
}
