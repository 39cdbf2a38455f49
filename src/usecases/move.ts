/** A move from its start to where it is asked to end: load, follow, and cut over. */
import { MoveError, schemaChanged, Stopped } from '../core/movement/errors.ts';
import { arrangePipelines } from '../core/movement/arrange.ts';
import { changeFile, moveLock, objectName } from '../core/movement/names.ts';
import type { Clock } from '../ports/clock.ts';
import type { Claim } from '../ports/move.ts';
import { ConnectionLost } from '../ports/move.ts';
import { ChangeApplier } from './move_apply.ts';
import type { MoveContext } from './move_context.ts';
import type { MoveControl } from './move_control.ts';
import type { Extract } from './move_extract.ts';
import { startExtract } from './move_extract.ts';
import type { MoveGoal } from './move_follow.ts';
import { followTo } from './move_follow.ts';
import type { LoadTable } from './move_load_file.ts';
import { firstDifference } from './move_marks.ts';
import { keepMeasuring } from './move_lag.ts';
import { loadTables } from './move_load.ts';
import { prepareTables } from './move_prepare.ts';
import type { StoredTable } from './move_stored.ts';
import type { PipelineFailure } from './pipeline_store.ts';
import type { TableVerdict } from './verify.ts';
import { verifyTable } from './verify.ts';

export interface MoveResult {
  readonly outcome: 'stopped' | 'drained' | 'cut-over';
  /** Of the cutover; empty otherwise. */
  readonly verdicts: readonly TableVerdict[];
}

export interface MoveOptions {
  readonly goal: MoveGoal;
  /** How long to keep trying without the slightest progress while a server is away. */
  readonly patienceMs: number;
}

const RETRY_MS = 1000;
const RELEASE_MS = 2000;
const MOST_STALLS = 5;

/**
 * Runs a move. Resumes whatever an earlier run left, and by itself when a connection is lost.
 * Throws `MoveError` for what needs a person. STOP is no failure.
 */
export async function runMove(context: MoveContext, options: MoveOptions): Promise<MoveResult> {
  const { clock, control, events, target } = context;
  const worker: Worker = { counted: false, claimed: false };
  let lastProgress = Date.parse(clock.now());
  const watched: MoveContext = {
    ...context,
    events: {
      ...events,
      progress(event) {
        lastProgress = Date.parse(clock.now());
        events.progress(event);
      },
    },
  };
  for (;;) {
    try {
      await control.gate();
      const claim = await target.claim(moveLock(context.plan.name));
      if (claim === null) {
        // A server may take long to see that a session is gone, and holds its lock until then.
        if (worker.claimed)
          throw new ConnectionLost('a former session of this worker still holds its claim');
        throw new MoveError(
          'already-running',
          `The pipelines of "${context.plan.name}" are run by another worker now. Stop that one first, or let it go on.`,
        );
      }
      worker.claimed = true;
      return await underClaim(watched, options, worker, claim);
    } catch (error) {
      if (error instanceof Stopped) return { outcome: 'stopped', verdicts: [] };
      if (!(error instanceof ConnectionLost)) throw error;
      if (Date.parse(clock.now()) - lastProgress > options.patienceMs) throw error;
      events.log(`${error.message}; trying again`);
      await clock.sleep(RETRY_MS, control.stopping);
    }
  }
}

/**
 * One attempt, which ends as a whole: whatever breaks first (the claim, the log, a server) stops all its parts, and
 * the next attempt begins after the last of them has ended.
 */
async function underClaim(
  context: MoveContext,
  options: MoveOptions,
  worker: Worker,
  claim: Claim,
): Promise<MoveResult> {
  const broken = new AbortController();
  claim.lost.catch((error: unknown) => broken.abort(error));
  const { control } = context;
  const stopping = AbortSignal.any([control.stopping, broken.signal]);
  const failed = new Promise<never>((_, reject) => {
    broken.signal.addEventListener('abort', () => reject(broken.signal.reason));
  });
  failed.catch(() => undefined);
  const own: MoveControl = {
    ...control,
    action: () => (broken.signal.aborted ? 'STOP' : control.action()),
    gate: () => (broken.signal.aborted ? failed : Promise.race([control.gate(), failed])),
    stopping,
  };
  const { pipelines, store, target } = context;
  const over = new AbortController();
  void keepMeasuring(context, over.signal);
  try {
    const begun = await store.tables(target.statements);
    const plan = { ...context.plan, pipelines: arrangePipelines(context.plan.pipelines, begun) };
    await pipelines.begin(target.statements, plan.pipelines);
    const attempt = new Attempt({ ...context, plan, control: own }, options, worker, (error) =>
      broken.abort(error),
    );
    const result = await attempt.run();
    await pipelines.end(target.statements, null);
    return result;
  } catch (error) {
    const first: unknown = broken.signal.aborted ? broken.signal.reason : error;
    if (!isTakenOver(first)) {
      await withinReason(pipelines.end(target.statements, failureOf(first)), context.clock);
    }
    throw first;
  } finally {
    over.abort();
    await withinReason(claim.release(), context.clock);
  }
}

/** A server that does not answer any more must not keep this process from going on, or from ending. */
async function withinReason(asked: Promise<void>, clock: Clock): Promise<void> {
  const answered = new AbortController();
  const answering = asked.catch(() => undefined).finally(() => answered.abort());
  await Promise.race([answering, clock.sleep(RELEASE_MS, answered.signal)]);
}

/** What another worker does with the pipelines is not ours to say. */
function isTakenOver(error: unknown): boolean {
  return error instanceof MoveError && error.code === 'lost-claim';
}

/** Null for what another try cures: STOP, and a server that is away. */
function failureOf(error: unknown): PipelineFailure | null {
  if (error instanceof Stopped || error instanceof ConnectionLost) return null;
  if (error instanceof MoveError) return error;
  return { message: error instanceof Error ? error.message : String(error), table: null };
}

/** A worker that takes over counts as one restart, however often it has to connect again. */
interface Worker {
  counted: boolean;
  /** It held the claim before. */
  claimed: boolean;
}

class Attempt {
  readonly #context: MoveContext;
  readonly #options: MoveOptions;
  readonly #break: (error: unknown) => void;
  readonly #worker: Worker;
  #extract: Extract | null = null;

  constructor(
    context: MoveContext,
    options: MoveOptions,
    worker: Worker,
    onBreak: (error: unknown) => void,
  ) {
    this.#context = context;
    this.#options = options;
    this.#worker = worker;
    this.#break = onBreak;
  }

  async run(): Promise<MoveResult> {
    const { folder, store, target, plan } = this.#context;
    // Files of an earlier run may be cut off, or of a worker that still writes: what they held is read again.
    await folder.clear();
    if (!this.#worker.counted) {
      await store.countRestarts(target.statements);
      this.#worker.counted = true;
    }
    const before = await store.stream(target.statements);
    if (before !== null)
      this.#context.events.log(`goes on with the changes from ${before.applied}`);
    if (before?.cutover === 'done') return { outcome: 'cut-over', verdicts: [] };
    const follow = plan.pipelines.some((pipeline) => pipeline.follow);
    const tables = await prepareTables(this.#context, follow);
    try {
      if (follow) await this.#startFollowing(tables);
      await loadTables(this.#context, tables, follow);
      return follow ? await this.#applyChanges() : await this.#finish(false);
    } finally {
      await this.#extract?.stop();
    }
  }

  async #startFollowing(tables: readonly LoadTable[]): Promise<void> {
    const { plan, source, store, target } = this.#context;
    const stream = await store.stream(target.statements);
    if (stream === null) return;
    if (stream.stalls > MOST_STALLS) {
      throw new MoveError(
        'too-many-restarts',
        `The changes of "${plan.name}" were begun more than ${MOST_STALLS} times without one that came in. ` +
          `Look at the log of the last run, then reset the pipelines.`,
      );
    }
    const followed = tables
      .filter(({ stored }) => plan.pipelines[stored.number]?.follow === true)
      .map(({ stored }) => ({ number: stored.number, mapping: stored.mapping }));
    const file = stream.file + 1;
    const log = source.logName(plan.name, stream.applied);
    await store.finishRows(target.statements, 'C', null);
    await store.setStreamFile(target.statements, file);
    await store.beginRow(target.statements, changeFile(file), 'C', null, '0');
    await store.finishRows(target.statements, 'CE', log);
    await store.beginRow(target.statements, log, 'CE', null, stream.applied);
    this.#extract = await startExtract(this.#context, followed, stream.applied, file);
    this.#extract.broken.catch(this.#break);
  }

  async #applyChanges(): Promise<MoveResult> {
    const { store, target } = this.#context;
    const extract = this.#extract;
    const stream = await store.stream(target.statements);
    if (extract === null || stream === null) return this.#finish(false);
    const tables = await store.tables(target.statements);
    const applier = new ChangeApplier(this.#context, extract, tables, stream.applied, stream.file);
    let reachedGoal: 'drained' | 'cutover';
    try {
      reachedGoal = await followTo(this.#options.goal, this.#context, extract, applier);
    } finally {
      await applier.abandon();
    }
    return reachedGoal === 'cutover' ? this.#finish(true) : { outcome: 'drained', verdicts: [] };
  }

  /** Not every log tells that a table was dropped. */
  async #assertThere(tables: readonly StoredTable[]): Promise<void> {
    for (const { mapping } of tables) {
      if ((await this.#context.source.describe(mapping.source, false)) !== null) continue;
      throw schemaChanged(mapping.source, 'dropped or renamed');
    }
  }

  /** Constraints, then proof, then the source is let go. */
  async #finish(cutover: boolean): Promise<MoveResult> {
    const { control, pipelines, plan, source, store, target } = this.#context;
    const tables = await store.tables(target.statements);
    const verdicts: TableVerdict[] = [];
    if (cutover) {
      await this.#assertThere(tables);
      for (const { mapping } of tables) verdicts.push(await verifyTable(source, target, mapping));
      const wrong = verdicts.filter(({ equal }) => !equal);
      if (wrong.length > 0) {
        await store.setCutover(target.statements, 'no');
        throw new MoveError(
          'sides-differ',
          `${wrong.map(({ table }) => table).join(', ')}: the two sides differ, so nothing was cut over. ${firstDifference(wrong)} ` +
            `Stop what still writes to the source (or to the target), then try again; "sprocket verify" shows the rows.`,
        );
      }
    }
    const mappings = tables.map(({ mapping }) => mapping);
    for (const { mapping, number, phase } of tables) {
      if (phase === 'final') continue;
      await control.gate();
      await target.addConstraints(mapping, mappings, control.stopping);
      await store.setPhase(target.statements, number, 'final');
    }
    if (!cutover) {
      await pipelines.loaded(target.statements);
      return { outcome: 'drained', verdicts };
    }
    await this.#extract?.stop();
    await source.releaseChanges(plan.name);
    await store.finishRows(target.statements, 'C', null);
    await store.finishRows(target.statements, 'CE', null);
    await store.setCutover(target.statements, 'done');
    this.#context.events.log(`${objectName(plan.name)} is released: the target stands on its own`);
    return { outcome: 'cut-over', verdicts };
  }
}
