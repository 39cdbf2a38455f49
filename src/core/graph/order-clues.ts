/** What callers tell of the order of writers of one table, and of what their readers see. */
import type { ScopeEffects } from './scope-effects.ts';

export interface OrderClues {
  /** Table by `schema.name` ▸ pairs of its writers, the first before the second. */
  readonly pairs: ReadonlyMap<string, readonly (readonly [string, string])[]>;
  /** Reader ▸ table ▸ writers that a caller runs only after the reader, but others before it. */
  readonly unseen: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
}

/** Writers of a table in one caller: those met before a reader, and all. */
interface Sight {
  readonly before: Set<string>;
  readonly all: Set<string>;
}

export function orderClues(
  orders: Iterable<readonly string[]>,
  own: ReadonlyMap<string, ScopeEffects>,
  writers: ReadonlyMap<string, readonly string[]>,
): OrderClues {
  const pairs = new Map<string, (readonly [string, string])[]>();
  const sights = new Map<string, Map<string, Sight>>();
  for (const order of orders) {
    const met = writersMet(order, own);
    addPairs(met, pairs);
    addSights(order, own, writers, met, sights);
  }
  return { pairs, unseen: unseenOf(sights) };
}

/** Table ▸ its writers with their places in the order. */
type Met = ReadonlyMap<string, readonly { readonly writer: string; readonly at: number }[]>;

function writersMet(order: readonly string[], own: ReadonlyMap<string, ScopeEffects>): Met {
  const met = new Map<string, { readonly writer: string; readonly at: number }[]>();
  for (const [at, writer] of order.entries()) {
    for (const table of own.get(writer)?.writes.keys() ?? []) {
      const known = met.get(table);
      if (known === undefined) met.set(table, [{ writer, at }]);
      else known.push({ writer, at });
    }
  }
  return met;
}

function addPairs(met: Met, pairs: Map<string, (readonly [string, string])[]>): void {
  for (const [table, places] of met) {
    for (const [at, { writer }] of places.entries()) {
      const before = places[at - 1]?.writer;
      if (before === undefined || before === writer) continue;
      const known = pairs.get(table);
      if (known === undefined) pairs.set(table, [[before, writer]]);
      else known.push([before, writer]);
    }
  }
}

function addSights(
  order: readonly string[],
  own: ReadonlyMap<string, ScopeEffects>,
  writers: ReadonlyMap<string, readonly string[]>,
  met: Met,
  sights: Map<string, Map<string, Sight>>,
): void {
  for (const [at, reader] of order.entries()) {
    const effects = own.get(reader);
    for (const table of effects?.reads.keys() ?? []) {
      // One writer is seen or is not: then nothing lies between.
      if ((writers.get(table)?.length ?? 0) < 2 || effects?.writes.has(table)) continue;
      const places = met.get(table) ?? [];
      if (places.length === 0) continue;
      const tables = sights.get(reader) ?? new Map<string, Sight>();
      const sight = tables.get(table) ?? { before: new Set(), all: new Set() };
      for (const place of places) {
        sight.all.add(place.writer);
        if (place.at < at) sight.before.add(place.writer);
      }
      tables.set(table, sight);
      sights.set(reader, tables);
    }
  }
}

function unseenOf(sights: ReadonlyMap<string, ReadonlyMap<string, Sight>>): OrderClues['unseen'] {
  const found = new Map<string, Map<string, ReadonlySet<string>>>();
  for (const [reader, tables] of sights) {
    for (const [table, { before, all }] of tables) {
      const after = all.difference(before);
      if (before.size === 0 || after.size === 0) continue;
      const known = found.get(reader) ?? new Map<string, ReadonlySet<string>>();
      found.set(reader, known.set(table, after));
    }
  }
  return found;
}
