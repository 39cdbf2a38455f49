/** How a run stands, as a value that every surface shows in its own way. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import type { EffectiveAction } from '../core/lifecycle/action.ts';
import { blockedReason, summarizeRun } from '../core/lifecycle/run.ts';
import type { RunMember, RunMembers, RunSummary } from '../core/lifecycle/run.ts';
import type { Attempt, Instant, Status } from '../core/lifecycle/state.ts';
import type { ProofOutcome } from '../core/proof/types.ts';
import type { Metadata } from '../ports/metadata.ts';

export interface RunStatus {
  readonly plan: string;
  readonly action: EffectiveAction;
  /** Workers that live. */
  readonly workers: number;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly summary: RunSummary;
  /** In the order of the run. */
  readonly procedures: readonly ProcedureStatus[];
}

export interface ProcedureStatus {
  readonly id: string;
  readonly status: Status;
  /** The last finished phase of an open attempt, or its outcome. */
  readonly mark: Attempt['mark'];
  /** What it waits for, or why it failed; null where there is nothing to say. */
  readonly detail: string | null;
  readonly proof: ProofOutcome | null;
  readonly restarts: number;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
}

/** Null where the plan has no run. */
export async function readStatus(metadata: Metadata, plan: string): Promise<RunStatus | null> {
  const run = await metadata.run(plan);
  if (run === null) return null;
  const members = await metadata.members(plan);
  return {
    plan,
    action: effectiveAction(await metadata.actions()),
    workers: await metadata.workers(plan),
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    summary: summarizeRun([...members.values()].map(({ state }) => state)),
    procedures: [...members.values()].map((member) => procedureStatus(member, members)),
  };
}

function procedureStatus(member: RunMember, members: RunMembers): ProcedureStatus {
  const { status, attempt, reason, proof } = member.state;
  return {
    id: member.id,
    status,
    mark: attempt?.mark ?? null,
    detail: blockedReason(member, members) ?? reason,
    proof,
    restarts: attempt?.restarts ?? 0,
    startedAt: attempt?.startedAt ?? null,
    finishedAt: attempt?.finishedAt ?? null,
  };
}
