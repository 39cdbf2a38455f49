/** Procedures that a worker holds, and what it records about them. */
import type { RunMember, RunMembers } from '../core/lifecycle/run.ts';
import { isPast } from '../core/lifecycle/state.ts';
import type { Phase, ProcedureState } from '../core/lifecycle/state.ts';
import { step } from '../core/lifecycle/step.ts';
import type { RunEvent } from '../core/lifecycle/step.ts';
import type { ProofOutcome } from '../core/proof/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { ArtifactSet, LogLine, Metadata } from '../ports/metadata.ts';

/** What a phase leaves behind for one procedure. */
export interface Work {
  readonly id: string;
  readonly artifacts?: readonly Omit<ArtifactSet, 'id'>[];
  /** For the log of the procedure. */
  readonly message?: string;
}

export interface Outcome extends Work {
  readonly proof: ProofOutcome | null;
  /** Why it failed, for people; null where it went well. */
  readonly failure: string | null;
}

/**
 * A batch of claimed procedures. Whatever is recorded goes into one transaction with its mark. One
 * that another worker has taken over meanwhile falls out of the batch without a trace.
 */
export class Claim {
  readonly #metadata: Metadata;
  readonly #clock: Clock;
  readonly #plan: string;
  readonly #name: string;
  readonly #open: Map<string, RunMember>;
  readonly #all: readonly string[];
  #interruption: AbortSignal = new AbortController().signal;

  constructor(
    metadata: Metadata,
    clock: Clock,
    plan: string,
    name: string,
    members: readonly RunMember[],
  ) {
    this.#metadata = metadata;
    this.#clock = clock;
    this.#plan = plan;
    this.#name = name;
    this.#open = new Map(members.map((member) => [member.id, member]));
    this.#all = [...this.#open.keys()];
  }

  /** Those that are not finished, in the order of the run, with their state. */
  get open(): readonly RunMember[] {
    return [...this.#open.values()];
  }

  /** Aborted when the work must stop at the next safe point. */
  get interruption(): AbortSignal {
    return this.#interruption;
  }

  begin(interruption: AbortSignal): void {
    this.#interruption = interruption;
  }

  /** Those that have not finished a phase yet. */
  before(phase: Phase): readonly RunMember[] {
    return this.open.filter(({ state }) => !isPast(state.attempt?.mark ?? null, phase));
  }

  /** Records that a phase is finished, with what it made. */
  async mark(phase: Phase, works: readonly Work[]): Promise<void> {
    await this.#record(
      works.map(({ id }) => ({ id, type: 'mark', claim: this.#name, phase })),
      works,
      'info',
    );
  }

  /** Records outcomes, and lets go of the procedures. */
  async finish(outcomes: readonly Outcome[]): Promise<void> {
    const at = this.#clock.now();
    const event = { type: 'finish', claim: this.#name, at } as const;
    const good = outcomes.filter(({ failure }) => failure === null);
    const bad = outcomes.filter(({ failure }) => failure !== null);
    await this.#record(
      good.map(({ id, proof }) => ({ id, ...event, proof, failure: null })),
      good,
      'info',
    );
    await this.#record(
      bad.map(({ id, proof, failure }) => ({ id, ...event, proof, failure })),
      bad.map((outcome) => ({ message: outcome.failure ?? '', ...outcome })),
      'error',
    );
  }

  /** Writes one line into the log of each. */
  async log(level: LogLine['level'], ids: readonly string[], message: string): Promise<void> {
    const at = this.#clock.now();
    await this.#metadata.log(
      this.#plan,
      ids.map((id) => ({ id, at, level, message })),
    );
  }

  /** Gives back what is not finished, with its mark, and lets go of every lock. */
  async close(): Promise<void> {
    const ids = [...this.#open.keys()];
    await this.#record(
      ids.map((id) => ({ id, type: 'release', claim: this.#name })),
      ids.map((id) => ({ id, message: 'Given back; goes on from here later.' })),
      'info',
    );
    await this.#metadata.unlock(this.#plan, this.#all);
  }

  async #record(
    events: readonly RunEvent[],
    works: readonly Work[],
    level: LogLine['level'],
  ): Promise<void> {
    if (events.length === 0) return;
    const ids = events.map(({ id }) => id);
    let held: readonly [string, ProcedureState][] = [];
    await this.#metadata.change(this.#plan, ids, (members: RunMembers) => {
      const { states, rejections } = step(members, events);
      const rejected = new Set(rejections.map(({ id }) => id));
      const taken = works.filter(({ id }) => members.has(id) && !rejected.has(id));
      held = ids.flatMap((id): [string, ProcedureState][] => {
        const state = states.get(id) ?? members.get(id)?.state;
        return state?.claim === this.#name ? [[id, state]] : [];
      });
      const at = this.#clock.now();
      return {
        states,
        artifacts: taken.flatMap(({ id, artifacts }) =>
          (artifacts ?? []).map((artifact) => ({ id, ...artifact })),
        ),
        logs: taken.flatMap(({ id, message }) =>
          message === undefined ? [] : [{ id, at, level, message }],
        ),
      };
    });
    const states = new Map(held);
    for (const id of ids) {
      const member = this.#open.get(id);
      const state = states.get(id);
      if (member !== undefined && state !== undefined) this.#open.set(id, { ...member, state });
      else this.#open.delete(id);
    }
  }
}
