/** What procedures call, directly or through others: these are proven by the models of those. */
import type { Translation } from '../translate/types.ts';

/** Ids of some procedures and of all that they call, as far as they are among the translations. */
export function withCalled(
  translations: Iterable<Translation>,
  ids: Iterable<string>,
): ReadonlySet<string> {
  const found = new Set(ids);
  const callsOf = new Map([...translations].map(({ routine, calls }) => [routine, calls]));
  // A set that grows while it is gone through is gone through to its end.
  for (const id of found) for (const called of callsOf.get(id) ?? []) found.add(called);
  return found;
}
