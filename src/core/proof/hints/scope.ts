/** What names mean at a place of a statement. */
import type { Place } from './places.ts';
import type { Outputs } from './tree.ts';

export interface Scope {
  readonly sources: { readonly alias: string; readonly outputs: Outputs }[];
  readonly ctes: ReadonlyMap<string, Outputs>;
  readonly outer: Scope | null;
}

/** Where a column's values come from; undefined where no source has a column of that name. */
export function columnIn(path: readonly string[], scope: Scope): Place | null | undefined {
  const column = path.at(-1) ?? '';
  const alias = path.length > 1 ? path.at(-2) : undefined;
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    for (const source of at.sources) {
      if (alias !== undefined && source.alias !== alias) continue;
      const place = source.outputs.get(column);
      if (place !== undefined) return place;
    }
  }
  return undefined;
}

/** The columns of `*` or `alias.*`. */
export function allColumns(path: readonly string[], scope: Scope): Outputs {
  const from = path.length > 1 ? path.at(-2) : undefined;
  const sources = scope.sources.filter(({ alias }) => from === undefined || alias === from);
  return new Map(sources.flatMap(({ outputs }) => [...outputs]));
}
