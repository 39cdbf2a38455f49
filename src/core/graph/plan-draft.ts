/** From a scope to the first plan. */
import { passedParameters, qualified } from '../catalog/names.ts';
import type { Catalog, QualifiedName, Table } from '../catalog/types.ts';
import type { PlanDraft } from '../plan/draft.ts';
import { withoutImplied } from './graph.ts';
import type { Scope, ScopeRow } from './scope.ts';

type DraftPipeline = PlanDraft['pipelines'][number];
type DraftProcedure = PlanDraft['procedures'][number];
type DraftRoutine = DraftProcedure['dependsOn'][number];

/** In larger plans nobody reads the column, and what is implied would take long to find. */
const MOST_SHORTENED = 2000;

export type DraftSettings = Omit<PlanDraft, 'pipelines' | 'procedures'>;

/** `oneDatabase`: source and target are the same, so that no table has to be moved. */
export function planDraft(
  scope: Scope,
  catalog: Catalog,
  settings: DraftSettings,
  oneDatabase: boolean,
): PlanDraft {
  const routines = new Map(scope.rows.map((row) => [row.id, draftRoutine(row)]));
  const shown =
    scope.graph.nodes.length > MOST_SHORTENED
      ? new Map<string, readonly string[]>()
      : withoutImplied(scope.graph);
  return {
    ...settings,
    pipelines: oneDatabase ? [] : pipelines(scope, catalog),
    procedures: scope.rows.map((row): DraftProcedure => ({
      ...draftRoutine(row),
      include: row.include,
      arguments: [],
      writes: row.writes,
      dependsOn: (shown.get(row.id) ?? row.dependsOn).flatMap((id) => routines.get(id) ?? []),
      rating: row.rating,
      reasons: row.reasons,
    })),
  };
}

function draftRoutine({ routine }: ScopeRow): DraftRoutine {
  return {
    name: routine.name,
    argumentTypes: passedParameters(routine).map(({ type }) => type),
  };
}

/** One for each table that included routines read and none of them makes. */
function pipelines(scope: Scope, catalog: Catalog): readonly DraftPipeline[] {
  const included = scope.rows.filter((row) => row.include);
  const made = new Set(included.flatMap((row) => row.writes.map(qualified)));
  const read = new Set(included.flatMap((row) => row.reads.map(qualified)));
  return catalog.tables
    .filter(({ name }) => read.has(qualified(name)) && !made.has(qualified(name)))
    .filter((table) => table.partitionOf === undefined || !isRead(table.partitionOf, read))
    .map((table): DraftPipeline => {
      const key = keyOf(table);
      return {
        include: true,
        source: table.name,
        target: table.name,
        key,
        // Without a key there is nothing to tell a changed row from another by.
        mode: key.length > 0 && table.kind !== 'foreign' ? 'load + changes' : 'load',
      };
    });
}

function isRead(name: QualifiedName, read: ReadonlySet<string>): boolean {
  return read.has(qualified(name));
}

function keyOf({ keys, columns }: Table): readonly string[] {
  const nullable = new Set(columns.filter((column) => column.nullable).map(({ name }) => name));
  const whole = keys.filter(
    (key) =>
      key.predicateSql === null &&
      !key.hasExpressions &&
      key.columns.every((column) => !nullable.has(column)),
  );
  return (whole.find(({ kind }) => kind === 'primary') ?? whole[0])?.columns ?? [];
}
