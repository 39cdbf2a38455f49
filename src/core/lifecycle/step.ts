/** Events on procedures of a run, with what they mean for those that wait. */
import { openDependencies } from './run.ts';
import type { RunMember, RunMembers } from './run.ts';
import type { ProcedureEvent, ProcedureState } from './state.ts';
import { transition } from './transition.ts';
import type { Rejection } from './transition.ts';

export interface Step {
  /** Only the states that changed. */
  readonly states: ReadonlyMap<string, ProcedureState>;
  readonly rejections: readonly { readonly id: string; readonly rejection: Rejection }[];
}

export type RunEvent = { readonly id: string } & ProcedureEvent;

/**
 * Applies events in their order, then lets every member know how many of its dependencies are still
 * open. `members` must hold those that depend on the procedures at hand, and what these depend on.
 */
export function step(members: RunMembers, events: readonly RunEvent[]): Step {
  const next = new Map<string, RunMember>(members);
  const rejections: { id: string; rejection: Rejection }[] = [];
  for (const event of events) {
    const member = next.get(event.id);
    if (member === undefined) continue;
    const result = transition(member.state, event);
    if (result.ok) next.set(event.id, { ...member, state: result.state });
    else rejections.push({ id: event.id, rejection: result.rejection });
  }
  const told = new Set(events.map(({ id }) => id));
  for (const member of next.values()) {
    const concerned = told.has(member.id) || member.dependsOn.some((id) => told.has(id));
    if (concerned || events.length === 0) settle(member, next);
  }
  const changed = [...next].filter(([id, { state }]) => state !== members.get(id)?.state);
  return { states: new Map(changed.map(([id, { state }]) => [id, state])), rejections };
}

/** Lets these members know what they still wait for; gives the states that change by it. */
export function settled(
  members: RunMembers,
  ids: readonly string[],
): ReadonlyMap<string, ProcedureState> {
  const next = new Map<string, RunMember>(members);
  for (const id of ids) {
    const member = next.get(id);
    if (member !== undefined) settle(member, next);
  }
  const changed = [...next].filter(([id, { state }]) => state !== members.get(id)?.state);
  return new Map(changed.map(([id, { state }]) => [id, state]));
}

function settle(member: RunMember, members: Map<string, RunMember>): void {
  const open = openDependencies(member, members);
  const result = transition(member.state, { type: 'dependencies', open });
  if (result.ok) members.set(member.id, { ...member, state: result.state });
}
