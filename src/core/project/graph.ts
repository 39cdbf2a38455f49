/** What must be built before what, and one order in which that is so. */
import { qualified } from '../catalog/names.ts';
import type { PlannedModel } from './arrange.ts';
import { ProjectError } from './types.ts';

export class BuildGraph {
  readonly #before = new Map<PlannedModel, Set<PlannedModel>>();

  /** `earlier` must be built before `later`. */
  add(earlier: PlannedModel, later: PlannedModel): void {
    if (earlier === later) return;
    this.#before.set(later, (this.#before.get(later) ?? new Set()).add(earlier));
  }

  earlierThan(model: PlannedModel): ReadonlySet<PlannedModel> {
    return this.#before.get(model) ?? new Set();
  }

  /** True where `model` waits for `other`, directly or through others. */
  waitsFor(model: PlannedModel, other: PlannedModel): boolean {
    const seen = new Set<PlannedModel>();
    const pending = [model];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === other) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      pending.push(...this.earlierThan(next));
    }
    return false;
  }

  /** The models in build order, otherwise as they came. Throws `ProjectError` on a cycle. */
  order(models: readonly PlannedModel[]): readonly PlannedModel[] {
    const ordered = new Set<PlannedModel>();
    const open: PlannedModel[] = [];
    const visit = (model: PlannedModel): void => {
      if (ordered.has(model)) return;
      if (open.includes(model)) throw cycleError([...open.slice(open.indexOf(model)), model]);
      open.push(model);
      for (const earlier of this.earlierThan(model)) visit(earlier);
      open.pop();
      ordered.add(model);
    };
    for (const model of models) visit(model);
    return [...ordered];
  }
}

function cycleError(models: readonly PlannedModel[]): ProjectError {
  const path = models.map(({ name, translated }) => `${name} (${qualified(translated.table)})`);
  return new ProjectError('cycle', `models wait for each other: ${path.join(' → ')}`);
}
