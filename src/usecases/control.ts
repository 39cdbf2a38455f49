/** What people ask of a run: pause, stop, go on, and decisions about single procedures. */
import { isHeld } from '../core/lifecycle/pipelines.ts';
import type { PipelineFacts } from '../core/lifecycle/pipelines.ts';
import { selectProcedures } from '../core/lifecycle/select.ts';
import type { ProcedureEvent, ProcedureState } from '../core/lifecycle/state.ts';
import type { RunMembers } from '../core/lifecycle/run.ts';
import { step } from '../core/lifecycle/step.ts';
import type { RunEvent } from '../core/lifecycle/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { Changes, Decision, Metadata } from '../ports/metadata.ts';

export interface ActionRequest {
  readonly plan: string;
  readonly action: 'RUN' | 'PAUSE' | 'STOP';
  /** Who asks, for the log. */
  readonly person: string;
  readonly reason: string | null;
}

const ACTION_WORDS = { RUN: 'Resumed', PAUSE: 'Paused', STOP: 'Stopped' };

/** Sets the action of the whole run; workers obey within 5 s. */
export async function setAction(
  metadata: Metadata,
  clock: Clock,
  request: ActionRequest,
): Promise<void> {
  const { plan, action, person, reason } = request;
  await metadata.setAction(action);
  if ((await metadata.run(plan)) === null) return;
  const why = reason === null ? '' : `: ${reason}`;
  const message = `${ACTION_WORDS[action]} by ${person}${why}.`;
  await metadata.log(plan, [{ id: null, at: clock.now(), level: 'info', message }]);
}

export interface DecisionRequest {
  readonly plan: string;
  readonly decision: Decision['decision'];
  /** As a person typed them; for `retry`, none means everything that failed. */
  readonly names: readonly string[];
  readonly person: string;
  readonly reason: string | null;
}

export interface DecisionResult {
  /** Procedures and pipelines that the decision was taken for. */
  readonly changed: readonly string[];
  readonly problems: readonly { readonly name: string; readonly message: string }[];
}

/**
 * Takes a decision for each of the named procedures that it can be taken for, all in one
 * transaction; says of the others why not.
 */
export async function decide(
  metadata: Metadata,
  clock: Clock,
  request: DecisionRequest,
): Promise<DecisionResult> {
  const { plan, decision } = request;
  const members = await metadata.members(plan);
  const pipelines = await metadata.pipelines(plan);
  const selection = selectProcedures(request.names, [
    ...members.keys(),
    ...pipelines.map(({ id }) => id),
  ]);
  const named = selection.ids.filter((id) => members.has(id));
  const moved = pipelines.filter(({ id }) => selection.ids.includes(id));
  const { retried, refused } = await decideForPipelines(
    metadata,
    request,
    request.names.length === 0 ? pipelines.filter(isHeld) : moved,
  );
  const ids = request.names.length === 0 ? failed(members) : named;
  const problems = [
    ...selection.problems.map(({ name, message }) => ({ name, message })),
    ...refused,
  ];
  if (ids.length === 0) return { changed: retried, problems };
  const withModel = decision === 'accept' ? await modelled(metadata, plan, ids) : new Set<string>();
  let changed: readonly string[] = [];
  let rejected: readonly { name: string; message: string }[] = [];
  await metadata.change(plan, ids, (locked) => {
    const at = clock.now();
    const events = ids.map((id): RunEvent => ({ id, ...event(decision, at, withModel.has(id)) }));
    const { states, rejections } = step(locked, events);
    rejected = rejections.map(({ id, rejection }) => ({ name: id, message: rejection.message }));
    changed = ids.filter((id) => !rejections.some((one) => one.id === id));
    return record(states, changed, request, at);
  });
  if (changed.length > 0) await metadata.setFinished(plan, null);
  return { changed: [...retried, ...changed], problems: [...problems, ...rejected] };
}

/** A pipeline that failed can be tried again, and that is all. */
async function decideForPipelines(
  metadata: Metadata,
  { plan, decision }: DecisionRequest,
  pipelines: readonly PipelineFacts[],
): Promise<{
  readonly retried: readonly string[];
  readonly refused: readonly { readonly name: string; readonly message: string }[];
}> {
  const retried = decision === 'retry' ? pipelines.filter(isHeld).map(({ id }) => id) : [];
  if (retried.length > 0) {
    await metadata.retryPipelines(plan, retried);
    await metadata.setFinished(plan, null);
  }
  const message =
    decision === 'retry'
      ? 'It has not failed.'
      : 'A pipeline can only be retried. To do without it, set its Include to no, load the table yourself, and run the plan again.';
  return {
    retried,
    refused: pipelines
      .filter(({ id }) => !retried.includes(id))
      .map(({ id }) => ({ name: id, message })),
  };
}

function event(decision: Decision['decision'], at: string, hasModel: boolean): ProcedureEvent {
  switch (decision) {
    case 'retry':
      return { type: 'retry' };
    case 'manual':
      return { type: 'manual' };
    case 'skip':
      return { type: 'skip', at };
    case 'accept':
      return { type: 'accept', at, hasModel };
  }
}

const DECISION_WORDS = {
  retry: 'Queued again',
  skip: 'Skipped',
  manual: 'Given to a model of their own',
  accept: 'Accepted without proof',
};

function record(
  states: ReadonlyMap<string, ProcedureState>,
  ids: readonly string[],
  request: DecisionRequest,
  at: string,
): Changes {
  const { decision, person, reason } = request;
  const why = reason === null ? '' : `: ${reason}`;
  return {
    states,
    decisions: ids.map((id) => ({ id, decision, person, reason, at })),
    logs: ids.map((id) => ({
      id,
      at,
      level: 'info',
      message: `${DECISION_WORDS[decision]} by ${person}${why}.`,
    })),
  };
}

function failed(members: RunMembers): string[] {
  return [...members.values()].filter(({ state }) => state.status === 'Failed').map(({ id }) => id);
}

/** Procedures with models: their own, or a person's that came as far as a proof. */
async function modelled(
  metadata: Metadata,
  plan: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const artifacts = await metadata.artifacts(plan, { ids, kinds: ['file'] });
  return new Set(artifacts.map(({ id }) => id));
}
