/** What a batch's proof comes to, routine by routine. */
import { routineId } from '../core/catalog/names.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import { verdictOf } from '../core/proof/verdict.ts';
import type { Batch } from './prove-rounds.ts';
import type { ArgumentValues, ProofContext } from './prove-context.ts';
import type { Ledger } from './prove-ledger.ts';
import { modelNames } from './prove-run.ts';

/** In the order in which the procedures run. `reached`: numbers of the branches that were. */
export function batchVerdicts(
  context: ProofContext,
  batch: Batch,
  ledger: Ledger,
  reached: readonly number[],
): readonly ProofVerdict[] {
  const { catalog, translations } = context;
  const models = modelNames(context);
  return batch.plan.order.flatMap((id) => {
    const translation = translations.get(id);
    const routine = catalog.routines.find((candidate) => routineId(candidate) === id);
    if (translation === undefined || routine === undefined) return [];
    const numbers = batch.branches.get(id) ?? [];
    const branches = {
      reached: reached.filter((number) => numbers.includes(number)).length,
      total: numbers.length * 2,
    };
    return [
      verdictOf({
        routine,
        translation,
        record: ledger.record(id, branches),
        givenError: ledger.givenError(id),
        madeUp: batch.madeUp,
        models: models.get(id) ?? [],
        parameters: parametersOf(batch, id),
        remarks: ledger.remarks(id),
        seconds: ledger.seconds(id),
      }),
    ];
  });
}

/** Each set of arguments once. */
function parametersOf({ rounds }: Batch, id: string): readonly ArgumentValues[] {
  const sets = rounds
    .map(({ setting }) => setting.values.get(id))
    .filter((set) => set !== undefined);
  return [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()];
}
