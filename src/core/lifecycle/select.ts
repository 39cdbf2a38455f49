/** Which procedures a person means by the names that they typed. */

export interface Selection {
  /** Procedures in the order of the run, each once. */
  readonly ids: readonly string[];
  readonly problems: readonly SelectionProblem[];
}

export interface SelectionProblem {
  readonly code: 'unknown' | 'ambiguous';
  readonly name: string;
  readonly message: string;
}

/**
 * Finds procedures by their full name `schema.name(argument types)`, without the arguments, or by
 * the bare name; without regard to case where that leaves one. Unknown names come back with the
 * nearest that exists.
 */
export function selectProcedures(names: readonly string[], ids: readonly string[]): Selection {
  const chosen = new Set<string>();
  const problems: SelectionProblem[] = [];
  for (const name of names) {
    const found = find(name, ids);
    if (found.length === 1) {
      for (const id of found) chosen.add(id);
    } else if (found.length > 1) {
      const message = `"${name}" may be ${found.slice(0, 5).join(' or ')}. Write one of them in full.`;
      problems.push({ code: 'ambiguous', name, message });
    } else {
      problems.push({ code: 'unknown', name, message: unknownMessage(name, ids) });
    }
  }
  return { ids: ids.filter((id) => chosen.has(id)), problems };
}

function find(name: string, ids: readonly string[]): readonly string[] {
  const spellings: ((id: string) => string)[] = [
    (id) => id,
    withoutArguments,
    (id) => withoutArguments(id).slice(withoutArguments(id).indexOf('.') + 1),
  ];
  const wanted = name.trim();
  for (const fold of [same, lower]) {
    for (const spelling of spellings) {
      const found = ids.filter((id) => fold(spelling(id)) === fold(wanted));
      if (found.length > 0) return found;
    }
  }
  return [];
}

function unknownMessage(name: string, ids: readonly string[]): string {
  const suggestion = nearest(
    withoutArguments(name),
    ids.map((id) => ({ value: id, text: withoutArguments(id) })),
  );
  const hint =
    suggestion === null
      ? 'See "sprocket status" for the procedures of the run.'
      : `Did you mean ${suggestion}?`;
  return `There is no procedure "${name}" in the run. ${hint}`;
}

/** The value whose text is the fewest edits away, if it is near enough to be meant; else null. */
export function nearest<T>(
  name: string,
  candidates: readonly { readonly value: T; readonly text: string }[],
): T | null {
  const wanted = name.toLowerCase();
  let best: { value: T; distance: number } | null = null;
  for (const { value, text } of candidates) {
    const whole = text.toLowerCase();
    const bare = whole.slice(whole.indexOf('.') + 1);
    const distance = Math.min(editDistance(wanted, whole), editDistance(wanted, bare));
    if (best === null || distance < best.distance) best = { value, distance };
  }
  return best !== null && best.distance <= Math.max(2, wanted.length / 3) ? best.value : null;
}

/** Levenshtein distance in UTF-16 units. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function withoutArguments(id: string): string {
  const open = id.indexOf('(');
  return open < 0 ? id : id.slice(0, open);
}

function same(text: string): string {
  return text;
}

function lower(text: string): string {
  return text.toLowerCase();
}
