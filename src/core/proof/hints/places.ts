/**
 * What the text of procedures tells about the values of columns: which columns hold the same kind of
 * value because they are joined, compared or copied, and which values they are compared with.
 */
import type { QualifiedName } from '../../catalog/types.ts';
import { qualified } from '../../catalog/names.ts';

/** A column of a table, or a variable or parameter of a routine. */
export type Place = string;

export function columnPlace(table: QualifiedName, column: string): Place {
  return `column ${qualified(table)} ${column}`;
}

export function variablePlace(routine: string, name: string): Place {
  return `variable ${routine} ${name}`;
}

/** Something that a place's values should be, or be near to. */
export type Hint =
  /** Compared for equality with a constant, or set to it. */
  | { readonly kind: 'literal'; readonly value: string }
  /** Compared by order with a constant: values on both sides of it matter, and it itself. */
  | { readonly kind: 'bound'; readonly value: string }
  /** Matched with LIKE. */
  | { readonly kind: 'pattern'; readonly value: string }
  /** Cast to a type, which its text must then fit. */
  | { readonly kind: 'cast'; readonly type: string }
  /** Read by to_date or to_timestamp with a format. */
  | { readonly kind: 'format'; readonly value: string }
  /** Compared with the clock. */
  | { readonly kind: 'clock' }
  /** A key that is read from a JSON value, and what the value under it is compared with or cast to. */
  | { readonly kind: 'json'; readonly key: string; readonly place: Place };

export interface HintClass {
  readonly places: readonly Place[];
  readonly hints: readonly Hint[];
}

/** Rows that are equal in some places are put in order, or picked from, by others; or by none. */
export interface RankedPlaces {
  readonly partition: readonly Place[];
  readonly order: readonly Place[];
}

/** Places that belong together, as a forest of parents. */
export class HintBook {
  readonly #parents = new Map<Place, Place>();
  readonly #hints = new Map<Place, Hint[]>();
  readonly #passed = new Map<Place, Set<Place>>();
  readonly #rankings: RankedPlaces[] = [];
  /** Members by root; made when asked for, and again after the forest has grown. */
  #classes: ReadonlyMap<Place, readonly Place[]> | null = null;

  add(place: Place, hint: Hint): void {
    this.#root(place);
    this.#classes = null;
    this.#hints.set(place, [...(this.#hints.get(place) ?? []), hint]);
  }

  join(first: Place, second: Place): void {
    const [a, b] = [this.#root(first), this.#root(second)];
    if (a !== b) this.#parents.set(b, a);
    this.#classes = null;
  }

  /**
   * Values of one place go where the other's are told apart: an argument to a parameter. They don't
   * become one class, since what else is passed to a helper has nothing to do with the place.
   */
  pass(from: Place, to: Place): void {
    this.#root(from);
    this.#root(to);
    this.#classes = null;
    this.#passed.set(from, (this.#passed.get(from) ?? new Set()).add(to));
  }

  rank(partition: readonly (Place | null)[], order: readonly (Place | null)[]): void {
    const within = partition.filter((place) => place !== null);
    const by = order.filter((place) => place !== null).filter((place) => !within.includes(place));
    if (within.length === 0 || within.length < partition.length) return;
    this.#rankings.push({ partition: within, order: by });
  }

  get rankings(): readonly RankedPlaces[] {
    return this.#rankings;
  }

  /** The class of a place: with itself alone, where nothing is known of it. */
  classOf(place: Place): HintClass {
    return { places: this.#members(place), hints: this.#hintsAt(place, new Set()) };
  }

  #members(place: Place): readonly Place[] {
    this.#classes ??= Map.groupBy(this.#parents.keys(), (member) => this.#root(member));
    return this.#classes.get(this.#root(place)) ?? [place];
  }

  #hintsAt(place: Place, seen: Set<Place>): readonly Hint[] {
    const root = this.#root(place);
    if (seen.has(root)) return [];
    seen.add(root);
    const members = this.#members(place);
    const passed = members.flatMap((member) => [...(this.#passed.get(member) ?? [])]);
    return [
      ...members.flatMap((member) => this.#hints.get(member) ?? []),
      ...passed.flatMap((target) => this.#hintsAt(target, seen)),
    ];
  }

  /** Names the class of a place. */
  rootOf(place: Place): Place {
    return this.#root(place);
  }

  #root(place: Place): Place {
    let at = place;
    for (;;) {
      const parent = this.#parents.get(at);
      if (parent === undefined) this.#parents.set(at, at);
      if (parent === undefined || parent === at) return at;
      at = parent;
    }
  }
}
