/** Pipelines in the order in which their tables were begun, whatever the order of their rows in the plan is now. */
import { qualified, sameName } from '../catalog/names.ts';
import { MoveError } from './errors.ts';
import type { Pipeline, TableMapping } from './model.ts';

/**
 * Tables that were begun keep their numbers; new ones come after them. Throws `MoveError` where the plan has no
 * pipeline any more for rows that are in the target already.
 */
export function arrangePipelines(
  pipelines: readonly Pipeline[],
  begun: readonly { readonly number: number; readonly mapping: TableMapping }[],
): readonly Pipeline[] {
  const first = begun
    .toSorted((a, b) => a.number - b.number)
    .map(({ mapping }) => {
      const { source, target } = mapping;
      const found = pipelines.find((one) => sameName(one.source, source));
      if (found !== undefined && sameName(found.target, target)) return found;
      throw new MoveError(
        'plan-changed',
        `${qualified(source)} was begun into ${qualified(target)}, and the plan ` +
          (found === undefined
            ? 'does not include it any more. '
            : `now says ${qualified(found.target)}. `) +
          'Put the row back as it was; or begin anew: "sprocket stop", then "sprocket reset".',
        qualified(source),
      );
    });
  return [...first, ...pipelines.filter((one) => !first.includes(one))];
}
