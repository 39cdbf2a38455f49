/** Puts rows that differ side by side, so that a person sees the columns that differ. */
import type { QualifiedName } from '../../catalog/types.ts';
import type { RowDifference } from '../types.ts';

export interface DifferingRows {
  readonly columns: readonly string[];
  readonly procedure: readonly (readonly (string | null)[])[];
  readonly model: readonly (readonly (string | null)[])[];
}

type Values = Readonly<Record<string, string | null>>;

/**
 * Rows with the same key belong together; without a key, those that share most values and at least
 * half of them. What is left stands alone.
 */
export function pairRows(
  table: QualifiedName,
  round: string,
  rows: DifferingRows,
  key: readonly string[],
): readonly RowDifference[] {
  const named = (values: readonly (string | null)[]): Values =>
    Object.fromEntries(rows.columns.map((column, index) => [column, values[index] ?? null]));
  const left = rows.model.map(named);
  const differences = rows.procedure.map(named).map((procedure): RowDifference => {
    const match = bestMatch(procedure, left, key);
    const model = match === null ? null : (left.splice(match, 1)[0] ?? null);
    return { table, round, procedure, model };
  });
  const alone = left.map((model): RowDifference => ({ table, round, procedure: null, model }));
  return [...differences, ...alone];
}

function bestMatch(row: Values, others: readonly Values[], key: readonly string[]): number | null {
  if (key.length > 0) {
    const match = others.findIndex((other) => key.every((column) => other[column] === row[column]));
    return match < 0 ? null : match;
  }
  let best: number | null = null;
  let most = Math.ceil(Object.keys(row).length / 2) - 1;
  for (const [index, other] of others.entries()) {
    const shared = Object.entries(row).filter(([column, value]) => other[column] === value).length;
    if (shared > most) [best, most] = [index, shared];
  }
  return best;
}
