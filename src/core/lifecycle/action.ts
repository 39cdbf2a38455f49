/** What `wirekite_action` says. Anybody may write to that table, so any content has a meaning. */

export const ACTIONS = ['STOP', 'PAUSE', 'RUN'] as const;
export type Action = (typeof ACTIONS)[number];

export interface EffectiveAction {
  readonly action: Action;
  /** Null where every word was understood. */
  readonly warning: string | null;
}

/**
 * The action that holds: STOP beats PAUSE beats RUN, and no row means RUN. An unknown word means
 * PAUSE: somebody wanted something, and waiting does no harm.
 */
export function effectiveAction(words: readonly (string | null)[]): EffectiveAction {
  const known = new Set<Action>();
  const unknown: string[] = [];
  for (const word of words) {
    const action = ACTIONS.find((candidate) => candidate === word?.trim().toUpperCase());
    if (action === undefined) unknown.push(word ?? 'NULL');
    else known.add(action);
  }
  if (unknown.length > 0) known.add('PAUSE');
  return {
    action: ACTIONS.find((action) => known.has(action)) ?? 'RUN',
    warning:
      unknown.length === 0
        ? null
        : `wirekite_action holds ${unknown.map((word) => `"${word}"`).join(', ')}, which means ` +
          `nothing: taken as PAUSE. Write RUN, PAUSE or STOP.`,
  };
}
