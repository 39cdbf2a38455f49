/** A worker: claims procedures that are ready, has them worked on, and lets go of them. */
import { batchSize } from '../core/lifecycle/run.ts';
import type { RunMember } from '../core/lifecycle/run.ts';
import { isLoaded, isLoadOpen } from '../core/lifecycle/pipelines.ts';
import type { PipelineFacts } from '../core/lifecycle/pipelines.ts';
import type { ProcedureState } from '../core/lifecycle/state.ts';
import { settled } from '../core/lifecycle/step.ts';
import { transition } from '../core/lifecycle/transition.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogLine, Metadata } from '../ports/metadata.ts';
import { Claim } from './work-claim.ts';
import type { Watch } from './watch.ts';

/** Works on claimed procedures until each is finished; goes on from their marks. */
export type BatchWork = (claim: Claim) => Promise<void>;

export interface WorkerOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly watch: Watch;
  readonly plan: string;
  /** Unique among all workers that ever were. */
  readonly worker: string;
  /** Most procedures to claim at once. */
  readonly most: number;
  /** Workers that start together with this one, some of which may not be there yet. */
  readonly together: number;
  /** No new work after this moment, in milliseconds since 1970; null for no limit. */
  readonly until: number | null;
  readonly work: BatchWork;
}

/**
 * `done`: every procedure is Completed or Skipped, every pipeline is loaded. `needs a person`: nothing is left for a worker.
 * `stopped`: the action is STOP or the process is to end. `out of time`: `until` has come.
 */
export type WorkerEnd = 'done' | 'needs a person' | 'stopped' | 'out of time';

/** Milliseconds between two looks for work when there is none. */
const IDLE = 1_000;

/**
 * Works until there is nothing to do or the watch says stop. What is under way then is given back
 * with its mark; where `work` throws, too, and the error goes on to the caller.
 */
export async function work(options: WorkerOptions): Promise<WorkerEnd> {
  const { metadata, clock, watch, plan } = options;
  const free = freer(metadata, plan);
  for (let round = 0; ; round += 1) {
    if (!(await watch.mayGoOn())) return 'stopped';
    if (options.until !== null && Date.parse(clock.now()) >= options.until) return 'out of time';
    const pipelines = await metadata.pipelines(plan);
    await free(pipelines);
    const counts = await metadata.counts(plan);
    const ready = counts.get('Pending') ?? 0;
    if (ready === 0 && (counts.get('Running') ?? 0) === 0 && !isLoadOpen(pipelines)) {
      const open = (counts.get('Blocked') ?? 0) + (counts.get('Failed') ?? 0);
      return open === 0 && pipelines.every(isLoaded) ? 'done' : 'needs a person';
    }
    const workers = Math.max(options.together, await metadata.workers(plan));
    const most = batchSize(ready, workers, options.most);
    const claim = await claimBatch(options, `${options.worker}.${round}`, most);
    if (claim === null) await clock.sleep(IDLE, watch.interruption());
    else await workOn(claim, options);
  }
}

/** Lets procedures go on whose pipelines were loaded meanwhile. */
function freer(
  metadata: Metadata,
  plan: string,
): (pipelines: readonly PipelineFacts[]) => Promise<void> {
  const seen = new Set<string>();
  return async (pipelines) => {
    const loaded = pipelines.filter((facts) => isLoaded(facts) && !seen.has(facts.id));
    if (loaded.length === 0) return;
    const fresh = new Set(loaded.map(({ id }) => id));
    const members = await metadata.members(plan);
    const waiting = [...members.values()]
      .filter(
        ({ state, pipelines: awaited }) =>
          state.status === 'Blocked' && awaited.some(({ id }) => fresh.has(id)),
      )
      .map(({ id }) => id);
    if (waiting.length > 0) {
      await metadata.change(plan, waiting, (locked) => ({ states: settled(locked, waiting) }));
    }
    for (const id of fresh) seen.add(id);
  };
}

async function claimBatch(
  options: WorkerOptions,
  name: string,
  most: number,
): Promise<Claim | null> {
  const { metadata, clock, plan } = options;
  const lines: LogLine[] = [];
  const members = await metadata.claim(plan, most, (member, crashed) => {
    const at = clock.now();
    const type = crashed ? 'take over' : 'claim';
    const result = transition(member.state, { type, claim: name, at });
    if (!result.ok) return null;
    lines.push(claimLine(member, result.state, crashed, at));
    return result.state;
  });
  await metadata.log(plan, lines);
  return members.length === 0 ? null : new Claim(metadata, clock, plan, name, members);
}

function claimLine(
  { id, state: before }: RunMember,
  state: ProcedureState,
  crashed: boolean,
  at: string,
): LogLine {
  if (state.status === 'Failed') {
    return { id, at, level: 'error', message: state.reason ?? 'Failed.' };
  }
  const mark = before.attempt?.finishedAt === null ? before.attempt.mark : null;
  const from = mark === null ? '' : ` after "${mark}"`;
  return crashed
    ? {
        id,
        at,
        level: 'warning',
        message: `Its worker died; goes on${from} (restart ${state.attempt?.restarts ?? 0}).`,
      }
    : { id, at, level: 'info', message: mark === null ? 'Taken up.' : `Goes on${from}.` };
}

async function workOn(claim: Claim, options: WorkerOptions): Promise<void> {
  try {
    await finishAll(claim, options);
  } catch (error) {
    // What is told is what went wrong first; a database that is gone lets go of the locks by itself.
    await claim.close().catch(() => undefined);
    throw error;
  }
  await claim.close();
}

/** Works until all is finished; a PAUSE interrupts the work, which goes on from its marks then. */
async function finishAll(claim: Claim, { watch, work: run }: WorkerOptions): Promise<void> {
  while (claim.open.length > 0) {
    claim.begin(watch.interruption());
    try {
      await run(claim);
      if (claim.open.length > 0 && !claim.interruption.aborted) {
        throw new Error(`${claim.open[0]?.id ?? ''} was left without an outcome.`);
      }
    } catch (error) {
      if (!claim.interruption.aborted) throw error;
    }
    if (!(await watch.mayGoOn())) return;
  }
}
