/** How a run stands, as a value that every surface shows in its own way. */
import { z } from 'zod';
import { effectiveAction } from '../core/lifecycle/action.ts';
import { summarizeRun, waitingOf } from '../core/lifecycle/run.ts';
import type { RunMember, RunSummary, Waiting } from '../core/lifecycle/run.ts';
import { isPhase, PHASES } from '../core/lifecycle/state.ts';
import type { Attempt, Instant } from '../core/lifecycle/state.ts';
import type { PipelineRecord } from '../core/movement/pipeline-record.ts';
import { paceOf, pipelineRow, secondsBehind } from '../core/report/pipelines.ts';
import type { Pace } from '../core/report/pipelines.ts';
import type { Progress, ProgressRow } from '../core/report/progress.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata.ts';

export interface RunStatus {
  readonly progress: Progress;
  readonly summary: RunSummary;
  /** What is wrong with the content of `wirekite_action`; null where nothing is. */
  readonly warning: string | null;
  /** What is recorded of each pipeline, with the pace of its load. */
  readonly pipelines: readonly PipelineStatus[];
  /** Workers that live. */
  readonly workers: number;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
}

export interface PipelineStatus extends PipelineRecord {
  readonly pace: Pace | null;
  /** Null where nothing is followed, or was not measured yet. */
  readonly secondsBehind: number | null;
}

export interface StatusReader {
  /** Null where the plan has no run. */
  read(): Promise<RunStatus | null>;
}

/** What a proof came to, as far as a progress row shows it. */
interface Result {
  readonly finishedAt: Instant | null;
  readonly models: readonly string[];
  readonly rows: number | null;
}

const verdictSchema = z.object({ models: z.array(z.string()), rows: z.number() });

/** Reads a run again and again; what was proven once is fetched once. */
export function statusReader(metadata: Metadata, clock: Clock, plan: string): StatusReader {
  const results = new Map<string, Result>();

  async function fetchResults(members: Iterable<RunMember>): Promise<void> {
    const stale = [...members].filter(({ id, state }) => {
      const finishedAt = state.attempt?.finishedAt ?? null;
      return finishedAt !== null && results.get(id)?.finishedAt !== finishedAt;
    });
    if (stale.length === 0) return;
    const ids = stale.map(({ id }) => id);
    const artifacts = await metadata.artifacts(plan, { ids, kinds: ['verdict'] });
    const verdicts = new Map(artifacts.map(({ id, content }) => [id, content]));
    for (const { id, state } of stale) {
      const content = verdicts.get(id);
      const verdict = content === undefined ? null : verdictSchema.parse(JSON.parse(content));
      results.set(id, {
        finishedAt: state.attempt?.finishedAt ?? null,
        models: verdict?.models ?? [],
        rows: verdict?.rows ?? null,
      });
    }
  }

  return {
    async read() {
      const run = await metadata.run(plan);
      if (run === null) return null;
      const members = await metadata.members(plan);
      await fetchResults(members.values());
      const waiting = waitingOf(members);
      const pipelines = await metadata.pipelines(plan);
      const now = clock.now();
      const { action, warning } = effectiveAction(await metadata.actions());
      return {
        progress: {
          plan,
          action,
          rows: [
            ...pipelines.map((record) => pipelineRow(record, now)),
            ...[...members.values()].map((member) =>
              progressRow(member, waiting.get(member.id), results.get(member.id)),
            ),
          ],
        },
        pipelines: pipelines.map((record) => pipelineStatusOf(record, now)),
        summary: summarizeRun(
          [...members.values()].map(({ state }) => state),
          pipelines,
        ),
        warning,
        workers: await metadata.workers(plan),
        startedAt: run.startedAt,
        finishedAt: run.finishedAt,
      };
    },
  };
}

export function pipelineStatusOf(record: PipelineRecord, now: Instant): PipelineStatus {
  return { ...record, pace: paceOf(record, now), secondsBehind: secondsBehind(record, now) };
}

function progressRow(
  { id, state }: RunMember,
  waiting: Waiting | undefined,
  result: Result | undefined,
): ProgressRow {
  const { status, attempt, reason, proof } = state;
  const isBlocked = status === 'Blocked';
  const why = reason === null || proof === null ? reason : `${proof}: ${reason}`;
  return {
    name: id,
    kind: 'procedure',
    status,
    phase: status === 'Running' ? nextPhase(attempt) : null,
    restarts: attempt?.restarts ?? 0,
    startedAt: attempt?.startedAt ?? null,
    finishedAt: attempt?.finishedAt ?? null,
    waitsFor: isBlocked ? (waiting?.waitsFor ?? []) : [],
    message: isBlocked ? (waiting?.message ?? null) : why,
    models: result?.models ?? [],
    rows: result?.rows ?? null,
  };
}

/** What a running procedure is at: the phase after the last finished one. */
function nextPhase(attempt: Attempt | null): string | null {
  const mark = attempt?.mark ?? null;
  const last = mark !== null && isPhase(mark) ? PHASES.indexOf(mark) : -1;
  return PHASES[last + 1] ?? PHASES.at(-1) ?? null;
}
