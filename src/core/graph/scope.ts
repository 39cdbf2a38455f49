/** What a plan for a database would hold: which routines, in which order, with which prospects. */
import type { Catalog, QualifiedName, Routine } from '../catalog/types.ts';
import { qualified, routineId } from '../catalog/names.ts';
import type { Rating } from '../plan/types.ts';
import { shortList } from '../report/text.ts';
import { translate } from '../translate/translate.ts';
import type { Translation } from '../translate/types.ts';
import { findCycles } from './cycles.ts';
import type { Cycle } from './cycles.ts';
import { scopeGraph } from './dependencies.ts';
import type { ScopeGraph } from './dependencies.ts';
import type { RoutineEffects } from './effect-types.ts';
import { readEffects } from './effects.ts';
import { waves } from './graph.ts';
import { rate, requiredParameters } from './rating.ts';
import { scopeEffects } from './scope-effects.ts';

export interface ScopeRow {
  readonly id: string;
  readonly routine: Routine;
  readonly include: boolean;
  readonly rating: Rating;
  readonly reasons: readonly string[];
  readonly translation: Translation;
  readonly effects: RoutineEffects;
  /** Tables that it reads, also by way of routines that are no rows. */
  readonly reads: readonly QualifiedName[];
  /** Tables that it changes and that last, log tables left out. */
  readonly writes: readonly QualifiedName[];
  /** Ids of other rows. */
  readonly dependsOn: readonly string[];
}

export interface Scope {
  /** In an order in which they can run; those on a cycle, and those not included, come last. */
  readonly rows: readonly ScopeRow[];
  /** Functions that only compute a value: they go along with what calls them. */
  readonly helpers: readonly string[];
  /** Of the rows that are included. */
  readonly graph: ScopeGraph;
  /** Among all that could be included but for them. */
  readonly cycles: readonly Cycle[];
}

export interface ScopeOptions {
  /** Only these routines; helpers among them are rows then, too. */
  readonly only?: ReadonlySet<string>;
  /** Only routines in these schemas. */
  readonly schemas?: ReadonlySet<string>;
  /**
   * Whether to translate again without what has to stay behind, because that may take what calls it
   * along: exact for a plan, and twice the work.
   */
  readonly settle?: boolean;
}

const MOST_CALLERS = 3;

/** After this many rounds of translation it is let be. */
const MOST_ROUNDS = 5;

/** Draws the scope. The parser must be loaded. */
export function drawScope(catalog: Catalog, options: ScopeOptions = {}): Scope {
  const { only, schemas, settle = true } = options;
  const effects = readEffects(catalog);
  const routines = catalog.routines.map((routine) => ({ id: routineId(routine), routine }));
  const candidates = routines.filter(({ id, routine }) => {
    if (schemas?.has(routine.name.schema) === false) return false;
    return only === undefined ? !isHelper(routine, id, effects) : only.has(id);
  });
  const ids = new Set(candidates.map(({ id }) => id));
  const parts = partsOfCallers(candidates, effects);
  const translations = translateInRounds(catalog, ids, parts, settle ? MOST_ROUNDS : 1);

  const ignored = new Set(
    [...translations.values()].flatMap(({ logTables }) => logTables.map(qualified)),
  );
  const graphOf = (scope: readonly string[]): ScopeGraph =>
    scopeGraph({ scope, effects, scopeIsOrdered: false, ignored });
  const sound = [...ids].filter((id) => isSound(translations.get(id)) && !parts.has(id));
  const cycles = findCycles(graphOf(sound));
  const inCycle = new Set(cycles.flat());
  const graph = graphOf(sound.filter((id) => !inCycle.has(id)));
  const whole = graphOf([...ids]);

  const own = scopeEffects([...ids], effects, ignored);
  const rows = candidates.flatMap(({ id, routine }): ScopeRow[] => {
    const translation = translations.get(id);
    const found = effects.get(id);
    if (translation === undefined || found === undefined) return [];
    const include = graph.dependencies.has(id);
    const callers = parts.get(id);
    const { rating, reasons } = rate({
      routine,
      translation,
      problems: found.problems,
      cycles: cycles.filter((cycle) => cycle.includes(id)),
      unordered: graph.unordered.filter(({ writers }) => writers.includes(id)),
      argumentsKnown: callers !== undefined,
    });
    const part =
      callers === undefined
        ? []
        : [`gets its arguments from ${shortList(callers, MOST_CALLERS)}, and goes along with it`];
    return [
      {
        id,
        routine,
        include,
        rating,
        reasons: [...part, ...reasons],
        translation,
        effects: found,
        reads: [...(own.get(id)?.reads.values() ?? [])],
        writes: lastingWrites(translation, found, ignored),
        dependsOn: (include ? graph : whole).dependencies.get(id) ?? [],
      },
    ];
  });
  return { rows: inOrder(rows, graph), helpers: helpersOf(routines, ids), graph, cycles };
}

/** Translates until nobody relies on a routine that turned out to stay behind. */
function translateInRounds(
  catalog: Catalog,
  ids: ReadonlySet<string>,
  parts: ReadonlyMap<string, unknown>,
  rounds: number,
): ReadonlyMap<string, Translation> {
  const found = new Map<string, Translation>();
  let scope = [...ids];
  for (let round = 0; round < rounds; round += 1) {
    for (const translation of translate(catalog, { routines: scope })) {
      found.set(translation.routine, translation);
    }
    const next = scope.filter((id) => isSound(found.get(id)) && !parts.has(id));
    if (next.length === scope.length || next.length === 0) break;
    scope = next;
  }
  return found;
}

function isSound(translation: Translation | undefined): boolean {
  return translation !== undefined && translation.outcome !== 'refused';
}

/** A function that gives one value and changes nothing: part of the expressions that call it. */
function isHelper(
  routine: Routine,
  id: string,
  effects: ReadonlyMap<string, RoutineEffects>,
): boolean {
  const givesValue = routine.returns !== null && routine.returns !== 'void' && !routine.returnsSet;
  if (routine.kind === 'procedure' || routine.isTrigger || !givesValue) return false;
  const seen = new Set([id]);
  const pending = [id];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const found = effects.get(at);
    if ((found?.writes.length ?? 0) > 0) return false;
    for (const called of found?.calls ?? []) {
      if (seen.has(called)) continue;
      seen.add(called);
      pending.push(called);
    }
  }
  return true;
}

/** Routines that others call, and that nobody could call without knowing their arguments. */
function partsOfCallers(
  candidates: readonly { readonly id: string; readonly routine: Routine }[],
  effects: ReadonlyMap<string, RoutineEffects>,
): ReadonlyMap<string, readonly string[]> {
  const callers = new Map<string, string[]>();
  for (const { id } of candidates) {
    for (const called of effects.get(id)?.calls ?? []) {
      if (called === id) continue;
      const known = callers.get(called);
      if (known === undefined) callers.set(called, [id]);
      else known.push(id);
    }
  }
  return new Map(
    candidates.flatMap(({ id, routine }) => {
      const found = callers.get(id);
      return found === undefined || requiredParameters(routine).length === 0
        ? []
        : [[id, found] as const];
    }),
  );
}

function lastingWrites(
  translation: Translation,
  effects: RoutineEffects,
  ignored: ReadonlySet<string>,
): readonly QualifiedName[] {
  if (isSound(translation)) return translation.writes;
  return effects.writes.filter((table) => !ignored.has(qualified(table)));
}

function inOrder(rows: readonly ScopeRow[], graph: ScopeGraph): readonly ScopeRow[] {
  const order = new Map(
    waves(graph)
      .flat()
      .map((id, at) => [id, at]),
  );
  const place = ({ id }: ScopeRow): number => order.get(id) ?? rows.length;
  return rows.toSorted((a, b) => place(a) - place(b));
}

function helpersOf(
  routines: readonly { readonly id: string }[],
  ids: ReadonlySet<string>,
): readonly string[] {
  return routines.map(({ id }) => id).filter((id) => !ids.has(id));
}
