/** What stands in the way of an order, in sentences. */
import { qualified } from '../../core/catalog/names.ts';
import type { UnorderedWriters } from '../../core/graph/dependencies.ts';

const WHY: Readonly<Record<UnorderedWriters['reason'], string>> = {
  'no-order': 'nothing tells which of them runs first; the order of their rows in the plan will',
  conflict: 'those that call them disagree on which runs first',
  interleaved: 'one changes it before it calls the other',
};

/** One sentence for each cycle, and for each table whose writers have no known order. */
export function orderNotes(
  cycles: readonly string[],
  unordered: readonly UnorderedWriters[],
): readonly string[] {
  return [
    ...cycles.map((cycle) => `These wait for each other for ever: ${cycle}.`),
    ...unordered.map(
      ({ table, writers, reason }) =>
        `${writers.join(', ')} all touch ${qualified(table)}: ${WHY[reason]}.`,
    ),
  ];
}
