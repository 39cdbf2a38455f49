/** What happens behind a write without being seen in it: triggers, foreign keys that act. */
import { qualified } from '../catalog/names.ts';
import type { ForeignKeyAction, TriggerEvent } from '../catalog/types.ts';
import type { BoundWrite } from './bound.ts';
import type { Evaluation } from './evaluate.ts';
import { makeRefusal } from './refusals.ts';
import type { Refusal } from './types.ts';

/** What happens behind a write where the routine does not show it; null where nothing does. */
export function hiddenWrite(evaluation: Evaluation, bound: BoundWrite): Refusal | null {
  const { index } = evaluation.session;
  const table = index.table(bound.table.name);
  const events = eventsOf(bound);
  if (!table) return null;
  const key = qualified(table.name);
  const parts = index.sharingRows(table.name).flatMap((name) => index.table(name) ?? []);
  for (const { name, triggers, triggerEvents } of [table, ...parts]) {
    if (triggers.length === 0) continue;
    if (!(triggerEvents ?? events).some((event) => events.includes(event))) continue;
    const message = `The table ${qualified(name)} has triggers: ${triggers.join(', ')}.`;
    return makeRefusal('trigger-on-table', bound.place, message);
  }
  for (const referring of index.referring(table.name)) {
    const acts = referring.foreignKeys.some((foreignKey) => {
      if (qualified(foreignKey.references) !== key) return false;
      const onUpdate =
        events.includes('update') &&
        foreignKey.referencedColumns.some((column) => setsColumn(bound, column));
      return (
        (events.includes('delete') && isAction(foreignKey.onDelete)) ||
        (onUpdate && isAction(foreignKey.onUpdate))
      );
    });
    if (!acts) continue;
    const message = `A foreign key of ${qualified(referring.name)} changes its rows when rows of ${key} go or change.`;
    return makeRefusal('foreign-key-action', bound.place, message);
  }
  return null;
}

function isAction(action: ForeignKeyAction | undefined): boolean {
  return action !== undefined && action !== 'restrict';
}

function eventsOf(bound: BoundWrite): readonly TriggerEvent[] {
  if (bound.kind === 'insert')
    return bound.conflict?.action.kind === 'update' ? ['insert', 'update'] : ['insert'];
  if (bound.kind !== 'merge') return [bound.kind];
  return bound.arms.flatMap((arm) => (arm.action.kind === 'nothing' ? [] : [arm.action.kind]));
}

function setsColumn(bound: BoundWrite, column: string): boolean {
  const sets =
    bound.kind === 'update'
      ? bound.set
      : bound.kind === 'merge'
        ? bound.arms.flatMap((arm) => (arm.action.kind === 'update' ? arm.action.set : []))
        : bound.kind === 'insert' && bound.conflict?.action.kind === 'update'
          ? bound.conflict.action.set
          : [];
  return sets.some((assignment) => assignment.column === column);
}
