/** Whether the included pipelines can move their tables: keys, types, and what the source's log must say. */
import { qualified } from '../core/catalog/names.ts';
import { MoveError } from '../core/movement/errors.ts';
import type { MovedTable } from '../core/movement/model.ts';
import { mapTable } from '../core/movement/types/map.ts';
import type { MapContext } from '../core/movement/types/map.ts';
import type { Plan, PlannedPipeline, Position } from '../core/plan/types.ts';
import type { MoveSource, MoveTarget } from '../ports/move.ts';
import { assertKey } from './move_marks.ts';

export interface PipelineFindings {
  readonly problems: readonly (Position & { readonly code: string; readonly message: string })[];
  /** What a person should know, and may let be. */
  readonly warnings: readonly string[];
}

export interface PipelineSides {
  readonly source: MoveSource;
  /** Null where it can't be asked: then it is taken to have every type that the source has. */
  readonly target: MoveTarget | null;
}

/** Throws `ConnectionLost` where the source can't be reached. */
export async function checkPipelines(
  plan: Plan,
  { source, target }: PipelineSides,
): Promise<PipelineFindings> {
  const included = plan.pipelines.filter(({ include }) => include);
  const problems: { line: number; column: number; code: string; message: string }[] = [];
  const warnings: string[] = [];
  const tables = new Map<PlannedPipeline, MovedTable>();
  for (const pipeline of included) {
    const table = await source.describe(pipeline.source, false);
    const report = (code: string, message: string): void => {
      const { line, column } = pipeline.position;
      problems.push({ line, column, code, message });
    };
    if (table === null) {
      // Of PostgreSQL the missing rights say so.
      if (source.dialect === 'mysql') report('table-missing', missingText(pipeline));
      continue;
    }
    tables.set(pipeline, table);
    for (const problem of keyProblems(pipeline, table)) report('no-key', problem);
    const types = await typeProblem(plan, pipeline, table, target);
    if (types !== null) report(types.code, types.message);
    if (table.key.length === 0 && pipeline.key.length === 0) {
      warnings.push(`${pipeline.id} has no key: it is loaded whole, in one file.`);
    }
  }
  const followed = [...tables].filter(([pipeline]) => follows(pipeline));
  if (!source.logsCascades)
    warnings.push(...followed.flatMap(([, table]) => cascadeWarnings(table)));
  if (followed.length > 0) {
    const { line, column } = plan.positions.get('source.url') ?? { line: 1, column: 1 };
    for (const message of await source.followProblems()) {
      problems.push({ line, column, code: 'not-configured', message });
    }
  }
  return { problems, warnings };
}

/** A move goes on until that happens, which may be never. */
function cascadeWarnings({ name, foreignKeys }: MovedTable): readonly string[] {
  const acts = (rule: string) => rule === 'CASCADE' || rule.startsWith('SET ');
  return foreignKeys.flatMap(({ references, onDelete, onUpdate }) => {
    const rules = [
      ...(acts(onDelete) ? [`ON DELETE ${onDelete}`] : []),
      ...(acts(onUpdate) ? [`ON UPDATE ${onUpdate}`] : []),
    ];
    return rules.length === 0
      ? []
      : [
          `${qualified(name)} has rows that change with those of ${qualified(references)} (${rules.join(', ')}), which the source's log does not tell: ` +
            `the move stops when that happens.`,
        ];
  });
}

function missingText({ id }: PlannedPipeline): string {
  return `The source has no table ${id}, or this user may not see it. A view is none: move what it reads. Correct the name, or grant SELECT on it.`;
}

function follows({ mode }: PlannedPipeline): boolean {
  return mode === 'load + changes';
}

function keyProblems(pipeline: PlannedPipeline, table: MovedTable): readonly string[] {
  try {
    assertKey({ ...pipeline, follow: follows(pipeline) }, table);
  } catch (error) {
    if (error instanceof MoveError) return [error.message];
    throw error;
  }
  return follows(pipeline) && !table.followable
    ? [
        `${pipeline.id} has no primary key, so its changes don't say which row they are about. ` +
          `Give it one; or run ALTER TABLE ${qualified(table.name)} REPLICA IDENTITY FULL; or load it without changes (Mode "load").`,
      ]
    : [];
}

async function typeProblem(
  plan: Plan,
  pipeline: PlannedPipeline,
  table: MovedTable,
  target: MoveTarget | null,
): Promise<MoveError | null> {
  const { settings } = plan;
  const dialects = { source: settings.source.dialect, target: settings.target.dialect };
  const types =
    target === null || dialects.source !== dialects.target
      ? null
      : await target.hasTypes(table.columns.map(({ type }) => type));
  const context: Omit<MapContext, 'indexedBytes'> = {
    ...dialects,
    zeroDates: settings.zeroDates === 'as_null' ? 'null' : 'error',
    exactCollation: target?.capabilities.exactCollation ?? '',
    targetHasType: (type) => types === null || types.has(type),
  };
  try {
    mapTable(table, { ...pipeline, follow: follows(pipeline) }, context);
    return null;
  } catch (error) {
    if (error instanceof MoveError) return error;
    throw error;
  }
}
