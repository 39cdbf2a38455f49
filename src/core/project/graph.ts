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

  /**
   * True where `model` waits for `other`, directly or through others. Nothing waits for what comes
   * later in the execution order, so only models of the same place are looked at.
   */
  waitsFor(model: PlannedModel, other: PlannedModel): boolean {
    if (model.position < other.position) return false;
    const seen = new Set<PlannedModel>();
    const pending = [model];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === other) return true;
      if (seen.has(next) || next.position < other.position) continue;
      seen.add(next);
      pending.push(...this.earlierThan(next));
    }
    return false;
  }

  /** The models in build order, otherwise as they came. Throws `ProjectError` on a cycle. */
  order(models: readonly PlannedModel[]): readonly PlannedModel[] {
    const ordered = new Set<PlannedModel>();
    for (const model of models) this.#visit(model, ordered);
    return [...ordered];
  }

  /** Puts a model behind everything that it waits for. A stack of its own: chains may be long. */
  #visit(start: PlannedModel, ordered: Set<PlannedModel>): void {
    if (ordered.has(start)) return;
    const open = new Set([start]);
    const stack = [{ model: start, waiting: this.earlierThan(start).values() }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { done, value: next } = top.waiting.next();
      if (done === true) {
        stack.pop();
        open.delete(top.model);
        ordered.add(top.model);
      } else if (open.has(next)) {
        const path = [...open];
        throw cycleError([...path.slice(path.indexOf(next)), next]);
      } else if (!ordered.has(next)) {
        open.add(next);
        stack.push({ model: next, waiting: this.earlierThan(next).values() });
      }
    }
  }
}

function cycleError(models: readonly PlannedModel[]): ProjectError {
  const path = models.map(({ name, translated }) => `${name} (${qualified(translated.table)})`);
  return new ProjectError('cycle', `models wait for each other: ${path.join(' → ')}`);
}
