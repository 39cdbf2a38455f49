/** What a batch's proof has found so far, routine by routine. */
import { isUnequal } from '../core/proof/record.ts';
import type {
  OrderDependence,
  RoundRecord,
  RoutineRecord,
  SideError,
} from '../core/proof/record.ts';

interface Entry {
  rounds: RoundRecord[];
  orderDependence: OrderDependence | null;
  remarks: string[];
  fault: string | null;
  givenError: SideError | null;
  seconds: number;
}

export class Ledger {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(routines: readonly string[]) {
    this.#entries = new Map(
      routines.map((routine) => [
        routine,
        {
          rounds: [],
          orderDependence: null,
          remarks: [],
          fault: null,
          givenError: null,
          seconds: 0,
        },
      ]),
    );
  }

  add(routine: string, round: RoundRecord): void {
    this.#entries.get(routine)?.rounds.push(round);
  }

  addOrderDependence(routine: string, found: OrderDependence): void {
    const entry = this.#entries.get(routine);
    if (entry) entry.orderDependence ??= found;
  }

  /** Takes a round back, because its rows were made up and don't decide the result. */
  withdraw(routine: string, round: string, remark: string): void {
    const entry = this.#entries.get(routine);
    if (!entry) return;
    entry.rounds = entry.rounds.filter(({ name }) => name !== round);
    entry.remarks.push(remark);
  }

  addRemark(routines: readonly string[], remark: string): void {
    for (const routine of routines) this.#entries.get(routine)?.remarks.push(remark);
  }

  remarks(routine: string): readonly string[] {
    return this.#entries.get(routine)?.remarks ?? [];
  }

  addFault(routine: string, error: unknown): void {
    const entry = this.#entries.get(routine);
    if (entry) entry.fault ??= error instanceof Error ? error.message : String(error);
  }

  addGivenErrors(errors: ReadonlyMap<string, SideError>): void {
    for (const [routine, error] of errors) {
      const entry = this.#entries.get(routine);
      if (entry) entry.givenError ??= error;
    }
  }

  /** Shares time among the routines that it was spent on. */
  addSeconds(routines: readonly string[], seconds: number): void {
    for (const routine of routines) {
      const entry = this.#entries.get(routine);
      if (entry) entry.seconds += seconds / routines.length;
    }
  }

  /** Whether a round has shown a difference, or Sprocket has failed: more rounds tell nothing. */
  hasFailed(routine: string): boolean {
    const entry = this.#entries.get(routine);
    return entry !== undefined && (entry.fault !== null || entry.rounds.some(isUnequal));
  }

  givenError(routine: string): SideError | null {
    return this.#entries.get(routine)?.givenError ?? null;
  }

  seconds(routine: string): number {
    return this.#entries.get(routine)?.seconds ?? 0;
  }

  record(routine: string, branches: RoutineRecord['branches']): RoutineRecord {
    const entry = this.#entries.get(routine);
    return {
      routine,
      rounds: entry?.rounds ?? [],
      orderDependence: entry?.orderDependence ?? null,
      fault: entry?.fault ?? null,
      branches,
    };
  }
}
