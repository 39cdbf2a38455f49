/** Which macros a project needs, and whether it has room for them. */
import type { ModelParts } from './model-files.ts';
import {
  ADDED_SCHEMA_MACRO,
  ADVANCE_SEQUENCE_MACRO,
  REQUIRED_VAR_MACRO,
  ROWS_MACRO,
  SCHEMA_MACRO,
  TABLE_EXISTS_MACRO,
  UNIQUE_TOGETHER_TEST,
  VIEW_MACRO,
} from './macros.ts';
import type { Macro } from './macros.ts';
import type { ExistingProject } from './types.ts';

const OWN_STRATEGIES = new Set(['append_rows', 'merge_rows', 'replace_rows']);

/** Finds the macros that the texts of the models and tests call. */
export function macrosFor(
  models: readonly ModelParts[],
  texts: readonly string[],
  existing: ExistingProject | null,
): readonly Macro[] {
  const called = (macro: Macro) => {
    const name = (macro.defines[0] ?? '').replace(/^test_/u, '');
    return texts.some((text) => text.includes(name));
  };
  const strategies = models.map(({ strategy }) => strategy);
  const ownRows = strategies.some(
    (strategy) => strategy.kind === 'incremental' && OWN_STRATEGIES.has(strategy.name),
  );
  const optional = [
    TABLE_EXISTS_MACRO,
    REQUIRED_VAR_MACRO,
    ADVANCE_SEQUENCE_MACRO,
    UNIQUE_TOGETHER_TEST,
  ];
  return [
    ...schemaMacro(existing),
    ...(ownRows ? [ROWS_MACRO] : []),
    ...(strategies.some(({ kind }) => kind === 'view') ? [VIEW_MACRO] : []),
    ...optional.filter(called),
  ];
}

function schemaMacro(existing: ExistingProject | null): readonly Macro[] {
  if (existing === null) return [SCHEMA_MACRO];
  return existing.schemaMacro === 'none' ? [ADDED_SCHEMA_MACRO] : [];
}
