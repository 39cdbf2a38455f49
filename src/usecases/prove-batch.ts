/** Proves a batch of translated procedures in a sandbox: all rounds, each alone and all together. */
import { qualified } from '../core/catalog/names.ts';
import { REACHED_BRANCHES } from '../core/proof/instrument/routines.ts';
import { PERMUTATIONS } from '../core/proof/permute.ts';
import type { OrderDependence } from '../core/proof/record.ts';
import type { ProofVerdict } from '../core/proof/types.ts';
import { calledBy, runCaller } from './prove-calls.ts';
import { observe } from './prove-compare.ts';
import type { Observation } from './prove-compare-rows.ts';
import { cloneState, ProofAborted, throwIfAborted, withSession } from './prove-context.ts';
import type { ProofContext } from './prove-context.ts';
import { isEnvironment } from './environment.ts';
import { Ledger } from './prove-ledger.ts';
import { dropResults, hasNewInputs, runLevel } from './prove-level.ts';
import type { LevelOutcome, LevelRound } from './prove-level.ts';
import { orderDependences } from './prove-order.ts';
import type { Batch, PlannedRound } from './prove-rounds.ts';
import { setClock } from './prove-prepare.ts';
import { MODEL_DATABASE } from './prove-run.ts';
import { onlyGivesRows } from './prove-scope.ts';
import { applyChange, emptyTables } from './prove-state.ts';
import {
  isOneBuild,
  runAllModels,
  segmentsOf,
  startTogether,
  TOGETHER_DATABASE,
} from './prove-together.ts';
import { FewRows } from './prove-unit-rows.ts';
import type { UnitTests } from './prove-unit-tests.ts';
import { batchVerdicts } from './prove-verdicts.ts';

/** What ends the whole proof, and is no procedure's fault. */
function isFatal(error: unknown): boolean {
  return error instanceof ProofAborted || isEnvironment(error);
}

const EMPTY_DATABASE = 'emptied';
const EMPTY_OUTCOME = 'emptied_outcome';
const ROUND_START = 'round';
const APART_DATABASE = 'apart';

export interface BatchResult {
  /** In the order in which the procedures run. */
  readonly verdicts: readonly ProofVerdict[];
  /** Of procedures that are proven. */
  readonly unitTests: UnitTests;
}

/** Throws `ProofAborted` where it was stopped; every other failure is one routine's verdict. */
export async function proveBatch(context: ProofContext, batch: Batch): Promise<BatchResult> {
  return new BatchProof(context, batch).run();
}

class BatchProof {
  readonly #context: ProofContext;
  readonly #batch: Batch;
  readonly #ledger: Ledger;
  readonly #fewRows: FewRows;
  #state: string;
  #databases = 0;
  #steps = 0;
  /** Procedures whose two sides ties in made-up rows have led apart, rightly. */
  readonly #tied = new Set<string>();
  /** The last group's models have been built together from the data as given. */
  #modelsStand = false;
  #before: Observation = { moment: '0', rows: new Map() };

  constructor(context: ProofContext, batch: Batch) {
    this.#context = context;
    this.#batch = batch;
    this.#ledger = new Ledger(batch.plan.order);
    this.#fewRows = new FewRows(context, batch.hints);
    this.#state = batch.given;
  }

  async run(): Promise<BatchResult> {
    const { given, rounds } = this.#batch;
    this.#before = await withSession(this.#context, given, observe);
    for (const round of rounds) await this.#round(round);
    const reached = await withSession(this.#context, this.#state, (session) =>
      session.query(REACHED_BRANCHES),
    );
    const sides = reached.rows.map(([number]) => Number(number));
    const verdicts = batchVerdicts(this.#context, this.#batch, this.#ledger, sides);
    const unitTests = await this.#fewRows.tests(given, verdicts, rounds);
    return { verdicts, unitTests };
  }

  async #round(round: PlannedRound): Promise<void> {
    const { plan } = this.#batch;
    await this.#changeInputs(round);
    if (plan.callers.length > 0 && round.only === null)
      await cloneState(this.#context, this.#state, ROUND_START);
    const failing = new Set<string>();
    for (const [index, level] of plan.levels.entries()) {
      this.#report(round, `group ${index + 1} of ${plan.levels.length}`);
      for (const routine of await this.#level(round, level)) failing.add(routine);
    }
    if (round.only !== null) return;
    this.#report(round, 'all together');
    await this.#together(round, failing);
    for (const caller of plan.callers) await this.#caller(round, caller);
  }

  async #changeInputs(round: PlannedRound): Promise<void> {
    const { change, setting } = round;
    throwIfAborted(this.#context);
    const made = change === null ? null : await change(this.#state);
    // The database of all models together is made in the first round.
    const both = round.only === null && round.kind !== 'given';
    const databases = both ? [this.#state, TOGETHER_DATABASE] : [this.#state];
    for (const database of databases) {
      await withSession(this.#context, database, async (session) => {
        await setClock(session, setting.clock);
        if (made === null) return;
        const problems = await applyChange(session, made);
        if (database !== this.#state) return;
        for (const problem of problems) {
          const remark = `Before the round "${setting.name}" the server refused ${problem}`;
          this.#ledger.addRemark(this.#batch.plan.order, remark);
        }
      });
    }
  }

  /** Gives the procedures that failed. */
  async #level(round: PlannedRound, level: readonly string[]): Promise<readonly string[]> {
    const started = performance.now();
    const routines = level.filter(
      (routine) => !this.#isBroken(routine) && this.#runsIn(round, routine),
    );
    if (routines.length === 0) return [];
    const provable = routines.filter((routine) => this.#isProvable(routine));
    const proven = provable.filter((routine) => !this.#isProvenTogether(round, routine));
    if (round.kind === 'given') await this.#emptyRound(round, proven);
    const { kind, setting } = round;
    const outcome = `state_${(this.#databases += 1) % 2}`;
    const { writesOf } = this.#batch.plan;
    const levelRound = { kind, setting, state: this.#state, outcome, routines, proven, writesOf };
    const result = await this.#runGuarded(levelRound);
    const left = provable.filter((routine) => !proven.includes(routine));
    // Whether the models fail with it can only be seen in a database of their own.
    await this.#apart(
      levelRound,
      left.filter((routine) => result.errors.has(routine)),
    );
    if (kind === 'given') {
      this.#ledger.addGivenErrors(result.errors);
      this.#modelsStand = result.modelsStand;
      await this.#fewRows.choose(levelRound, result);
    }
    await this.#orderRound(round, levelRound, result);
    if (this.#tied.size > 0) {
      // All together is not run where some tie: the others are proven alone.
      const isUntied = (routine: string) => !result.errors.has(routine) && !this.#tied.has(routine);
      await this.#apart(levelRound, left.filter(isUntied));
    }
    await dropResults(this.#context, outcome, routines);
    if (this.#state !== this.#batch.given) await this.#context.sandbox.drop(this.#state);
    this.#state = outcome;
    this.#ledger.addSeconds(level, (performance.now() - started) / 1000);
    return [...result.errors.keys()];
  }

  /** Some of a group in databases of their own. */
  async #apart(round: LevelRound, routines: readonly string[]): Promise<void> {
    if (routines.length === 0) return;
    await this.#runGuarded({ ...round, outcome: APART_DATABASE, routines, proven: routines });
    await this.#context.sandbox.drop(APART_DATABASE);
  }

  #runsIn({ only }: PlannedRound, routine: string): boolean {
    return only === null || only.has(routine);
  }

  /**
   * Procedures that don't touch each other's tables give the same alone and together: after the
   * first round once is enough.
   */
  #isProvenTogether({ kind, only }: PlannedRound, routine: string): boolean {
    const translation = this.#context.translations.get(routine);
    if (kind === 'given' || only !== null || this.#batch.plan.levels.length > 1) return false;
    if (translation === undefined || this.#tied.size > 0) return false;
    return translation.outcome === 'models' && !onlyGivesRows(translation);
  }

  /** A fault in a group is looked for one by one, and only the one that has it is given up. */
  async #runGuarded(round: LevelRound): Promise<LevelOutcome> {
    try {
      const result = await runLevel(this.#context, round);
      for (const [routine, record] of result.records) this.#ledger.add(routine, record);
      return result;
    } catch (error) {
      if (isFatal(error)) throw error;
      if (round.proven.length === 0) throw error;
      if (round.proven.length === 1) {
        for (const routine of round.proven) this.#ledger.addFault(routine, error);
      } else {
        for (const routine of round.proven) {
          const outcome = `${round.outcome}_alone`;
          await this.#runGuarded({ ...round, outcome, routines: [routine], proven: [routine] });
          await this.#context.sandbox.drop(outcome);
        }
      }
      return runLevel(this.#context, { ...round, proven: [] });
    }
  }

  /** Once more from tables that are empty; not where they are empty anyway. */
  async #emptyRound(round: PlannedRound, proven: readonly string[]): Promise<void> {
    const { translations } = this.#context;
    const tables = proven.flatMap((routine) => {
      const translation = translations.get(routine);
      if (translation === undefined) return [];
      // A check is put to the test where there is nothing: it has to raise there, or to be content.
      return translation.outcome === 'checks' ? translation.reads : translation.writes;
    });
    if (tables.length === 0) return;
    await cloneState(this.#context, this.#state, EMPTY_DATABASE);
    const emptied = await withSession(this.#context, EMPTY_DATABASE, (session) =>
      emptyTables(session, tables),
    );
    if (emptied.length > 0) {
      const setting = { ...round.setting, name: 'empty target' };
      const { writesOf } = this.#batch.plan;
      const empty = { setting, kind: 'empty' as const, state: EMPTY_DATABASE, writesOf };
      await this.#runGuarded({ ...empty, outcome: EMPTY_OUTCOME, routines: proven, proven });
      await this.#context.sandbox.drop(EMPTY_OUTCOME);
    }
    await this.#context.sandbox.drop(EMPTY_DATABASE);
  }

  async #orderRound(
    round: PlannedRound,
    { state, outcome, routines }: LevelRound,
    { errors, before }: LevelOutcome,
  ): Promise<void> {
    const { plan } = this.#batch;
    if (round.kind !== 'given' && round.kind !== 'changed') return;
    const able = routines.filter((routine) => !errors.has(routine));
    if (able.length === 0) return;
    const inputs = able.map((routine) => plan.inputsOf(routine));
    const known = inputs.flatMap((tables) => tables ?? []);
    const found = await orderDependences(this.#context, {
      setting: round.setting,
      state,
      outcome,
      before,
      routines: able,
      inputs: inputs.includes(null) ? null : known,
      permutation: PERMUTATIONS[round.kind === 'given' ? 0 : 1],
    }).catch((error: unknown) => {
      if (isFatal(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#ledger.addRemark(able, `Its input could not be laid in another order: ${reason}`);
      return new Map();
    });
    for (const [routine, dependence] of found) this.#noteDependence(round, routine, dependence);
  }

  /**
   * Rows that were made up may tie where real ones never do. On them a result that depends on the
   * order says something of the procedure, but nothing of its work on the data that are there.
   */
  #noteDependence({ kind, setting }: PlannedRound, routine: string, found: OrderDependence): void {
    if (kind !== 'changed' || this.#batch.madeUp) {
      this.#ledger.addOrderDependence(routine, found);
      return;
    }
    const table = qualified(found.table);
    const remark = `On rows that were made up, ${table} depends on the order of the input: rows that tie there would make it nondeterministic.`;
    this.#ledger.withdraw(routine, setting.name, remark);
    this.#tied.add(routine);
  }

  async #together(round: PlannedRound, failing: ReadonlySet<string>): Promise<void> {
    const { plan, given } = this.#batch;
    const { translations } = this.#context;
    // One that fails changes nothing: its models must not, either.
    const order = plan.order.filter((routine) => {
      const translation = translations.get(routine);
      const runs = translation !== undefined && !failing.has(routine) && !this.#isBroken(routine);
      return runs && translation.outcome !== 'calls' && !onlyGivesRows(translation);
    });
    const segments = segmentsOf(order, translations, (routine) => this.#isBuilt(routine));
    if (round.kind === 'given') {
      const isEqual = !order.some(
        (routine) => failing.has(routine) || this.#ledger.hasFailed(routine),
      );
      const stands = this.#modelsStand && isEqual && isOneBuild(plan.levels, order, segments);
      await startTogether(this.#context, stands ? MODEL_DATABASE : given);
      if (stands) return;
    }
    if (this.#tied.size > 0 || !segments.some(({ kind }) => kind === 'models')) return;
    const { kind, setting } = round;
    const failed = () => order.filter((routine) => this.#ledger.hasFailed(routine)).length;
    const before = failed();
    try {
      const records = await runAllModels(this.#context, {
        setting,
        kind,
        columnTests: kind !== 'given' && plan.levels.length === 1 && hasNewInputs(kind),
        segments,
        state: this.#state,
        given,
        before: this.#before,
        writesOf: plan.writesOf,
      });
      for (const [routine, record] of records) this.#ledger.add(routine, record);
    } catch (error) {
      if (isFatal(error)) throw error;
      for (const routine of order) {
        if (this.#isBuilt(routine)) this.#ledger.addFault(routine, error);
      }
    }
    // From where a difference was found, the others go on from the right rows.
    if (failed() > before) await startTogether(this.#context, this.#state);
  }

  async #caller(round: PlannedRound, routine: string): Promise<void> {
    const { translations } = this.#context;
    const translation = translations.get(routine);
    if (translation === undefined || this.#ledger.hasFailed(routine)) return;
    const called = calledBy(translation, translations);
    if (called.some((item) => !this.#isBuilt(item.routine) && item.outcome !== 'checks')) return;
    const started = performance.now();
    try {
      const { kind, setting } = round;
      const record = await runCaller(this.#context, {
        kind,
        setting,
        state: ROUND_START,
        routine,
        called,
      });
      this.#ledger.add(routine, record);
      if (kind === 'given' && record.procedureError !== null) {
        this.#ledger.addGivenErrors(new Map([[routine, record.procedureError]]));
      }
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#ledger.addFault(routine, error);
    }
    this.#ledger.addSeconds([routine], (performance.now() - started) / 1000);
  }

  #isBroken(routine: string): boolean {
    return !this.#batch.madeUp && this.#ledger.givenError(routine) !== null;
  }

  /** Its models are still built, because nothing has shown a difference. */
  #isProvable(routine: string): boolean {
    const outcome = this.#context.translations.get(routine)?.outcome;
    return outcome !== undefined && outcome !== 'refused' && !this.#ledger.hasFailed(routine);
  }

  #isBuilt(routine: string): boolean {
    const translation = this.#context.translations.get(routine);
    if (translation === undefined || this.#isBroken(routine)) return false;
    return this.#isProvable(routine) && translation.models.length + translation.tests.length > 0;
  }

  #report({ setting }: PlannedRound, step: string): void {
    const { plan, rounds, progress } = this.#batch;
    const total = rounds.length * (plan.levels.length + 1);
    progress({ round: setting.name, step, done: this.#steps, total });
    this.#steps += 1;
  }
}
