/** What `MIGRATION.md` and the pull request are written from. */
import type { Instant } from '../lifecycle/state.ts';
import type { ProofVerdict } from '../proof/types.ts';
import type { Translation } from '../translate/types.ts';

export interface MigrationReport {
  /** Name of the plan. */
  readonly plan: string;
  /** Folder of the dbt project, relative to the root of its repository. */
  readonly project: string;
  /** Most rows of a table that a proof took; null where it took all. */
  readonly maxRows: number | null;
  /** The included procedures, in the order of the plan. */
  readonly entries: readonly MigrationEntry[];
  /** Procedures of the plan that are not included, with the reasons of their rating. */
  readonly notIncluded: readonly { readonly name: string; readonly reason: string | null }[];
  /** The dbt variables that parameters became. */
  readonly variables: readonly MigrationVariable[];
  /** What a person must know or do before the project works as the procedures did. */
  readonly problems: readonly MigrationProblem[];
}

export interface MigrationEntry {
  /** `schema.name(argument types)`. */
  readonly name: string;
  /** Null where it came to none: skipped before, or a person's model. */
  readonly translation: Translation | null;
  readonly verdict: ProofVerdict | null;
  /** What a person decided about it; null where nobody had to. */
  readonly decision: MigrationDecision | null;
  /** Its dbt models in build order; `path` is relative to the project. */
  readonly models: readonly { readonly name: string; readonly path: string }[];
}

export interface MigrationDecision {
  readonly kind: 'accept' | 'manual' | 'skip';
  /** A login, or the name of whoever ran the command. */
  readonly by: string;
  readonly at: Instant | null;
  readonly reason: string | null;
}

interface MigrationVariable {
  readonly name: string;
  readonly routine: string;
  readonly parameter: string;
  /** SQL expression; null where whoever runs dbt must give one. */
  readonly value: string | null;
}

export interface MigrationProblem {
  readonly subject: string;
  readonly message: string;
  readonly advice: string;
}

/** How a procedure came out, in a reader's words. */
export type MigrationOutcome =
  | 'Proven'
  | 'Proven (manual)'
  | 'Accepted'
  | 'Skipped'
  | 'Refused'
  | 'Differs'
  | 'Nondeterministic'
  | 'Broken'
  | 'Error'
  | 'Not proven';

/** In the order in which a summary names them. */
export const OUTCOMES: readonly MigrationOutcome[] = [
  'Proven',
  'Proven (manual)',
  'Accepted',
  'Skipped',
  'Refused',
  'Differs',
  'Nondeterministic',
  'Broken',
  'Error',
  'Not proven',
];

export function outcomeOf({ translation, verdict, decision }: MigrationEntry): MigrationOutcome {
  if (decision?.kind === 'accept') return 'Accepted';
  if (decision?.kind === 'skip') return 'Skipped';
  switch (verdict?.outcome) {
    case 'proven':
      return decision?.kind === 'manual' ? 'Proven (manual)' : 'Proven';
    case 'refused':
      return 'Refused';
    case 'mismatch':
      return 'Differs';
    case 'nondeterministic':
      return 'Nondeterministic';
    case 'broken':
      return 'Broken';
    case 'error':
      return 'Error';
    case undefined:
      return translation?.outcome === 'refused' ? 'Refused' : 'Not proven';
  }
}
