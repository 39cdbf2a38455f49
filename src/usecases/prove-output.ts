/** The files that a proof of files leaves: the dbt project and its `MIGRATION.md`. */
import { Parameters } from '../core/project/parameters.ts';
import { renderProject } from '../core/project/render.ts';
import type { ProjectFile, ProjectOptions } from '../core/project/types.ts';
import { migrationMarkdown } from '../core/report/migration.ts';
import { mismatchLines } from '../core/report/mismatch.ts';
import type { FileProof } from './prove.ts';

/** Widest line of the mismatch report. */
const REPORT_COLUMNS = 120;
const REPORT_ROWS = 200;

/**
 * Models of everything that was proven, with the author's clock functions, and a report of the rows
 * that differ where there are any. The project is named after its folder.
 */
export function proofFiles(proof: FileProof, folder: string): readonly ProjectFile[] {
  const { catalog, translations, verdicts, unitTests } = proof;
  const proven = new Set(
    verdicts.filter(({ outcome }) => outcome === 'proven').map((verdict) => verdict.name),
  );
  const translated = translations.filter(({ routine }) => proven.has(routine));
  const name = folder.toLowerCase().replaceAll(/[^a-z0-9_]/gu, '_');
  const options: ProjectOptions = {
    name: /^[a-z]/u.test(name) ? name : `migration_${name}`,
    clock: 'live',
    parameters: {},
    unitTests: [...unitTests.values()].flat(),
    freshness: [],
    moved: new Map(),
    existing: null,
  };
  const project = renderProject({ catalog, translations: translated, options });
  const byName = new Map(translations.map((translation) => [translation.routine, translation]));
  const summary = migrationMarkdown(
    {
      plan: options.name,
      project: '.',
      maxRows: null,
      entries: verdicts.map((verdict) => ({
        name: verdict.name,
        translation: byName.get(verdict.name) ?? null,
        verdict,
        decision: null,
        models: project.models
          .filter(({ routine }) => routine === verdict.name)
          .map((model) => ({ name: model.name, path: model.path })),
      })),
      notIncluded: [],
      variables: new Parameters(translated, options).variables,
      problems: project.problems,
    },
    Number.POSITIVE_INFINITY,
  );
  return [...project.files, { path: 'MIGRATION.md', text: summary }, ...mismatchReport(verdicts)];
}

function mismatchReport(verdicts: FileProof['verdicts']): readonly ProjectFile[] {
  const differing = verdicts.filter(({ differences }) => differences.length > 0);
  if (differing.length === 0) return [];
  const parts = differing.map(({ name, outcome, differences }) =>
    [
      `${name}: ${outcome}`,
      ...mismatchLines(differences, { rows: REPORT_ROWS, columns: REPORT_COLUMNS }),
    ].join('\n'),
  );
  return [{ path: 'MISMATCH.txt', text: `${parts.join('\n\n')}\n` }];
}
