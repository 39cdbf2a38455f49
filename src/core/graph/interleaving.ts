/** Callers that change a table before they call a routine that reads or changes it. */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { RoutineEffects } from './effect-types.ts';
import type { ScopeEffects } from './scope-effects.ts';

export interface Interleaving {
  readonly table: QualifiedName;
  readonly caller: string;
  readonly called: string;
}

/** One for each table and caller. `orders` gives the routines that run within each call. */
export function interleavings(
  effects: ReadonlyMap<string, RoutineEffects>,
  own: ReadonlyMap<string, ScopeEffects>,
  orders: ReadonlyMap<string, readonly string[]>,
): readonly Interleaving[] {
  const found: Interleaving[] = [];
  for (const [caller, { writes }] of own) {
    const written = new Set<string>();
    const reported = new Set<string>();
    for (const statement of effects.get(caller)?.statements ?? []) {
      for (const call of statement.calls) {
        const routines = [...(orders.get(call) ?? []), call].filter((each) => each !== caller);
        for (const called of routines) {
          const touched = own.get(called);
          for (const [key, table] of [...(touched?.reads ?? []), ...(touched?.writes ?? [])]) {
            if (!written.has(key) || reported.has(key)) continue;
            reported.add(key);
            found.push({ table, caller, called });
          }
        }
      }
      for (const { table } of statement.writes) {
        const key = qualified(table);
        if (writes.has(key)) written.add(key);
      }
    }
  }
  return found;
}
