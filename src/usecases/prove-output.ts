/** The files that a proof of files leaves: the dbt project and its `MIGRATION.md`. */
import { Parameters } from '../core/project/parameters.ts';
import { renderProject } from '../core/project/render.ts';
import type { ProjectFile, ProjectOptions } from '../core/project/types.ts';
import { migrationMarkdown } from '../core/report/migration.ts';
import type { FileProof } from './prove.ts';

/** Models of everything that was translated, with the author's clock functions. The project is named after its folder. */
export function proofFiles(proof: FileProof, folder: string): readonly ProjectFile[] {
  const { catalog, translations, verdicts } = proof;
  const translated = translations.filter(({ outcome }) => outcome !== 'refused');
  const name = folder.toLowerCase().replaceAll(/[^a-z0-9_]/gu, '_');
  const options: ProjectOptions = {
    name: /^[a-z]/u.test(name) ? name : `migration_${name}`,
    clock: 'live',
    parameters: {},
    unitTests: [],
    freshness: [],
    existing: null,
  };
  const project = renderProject({ catalog, translations: translated, options });
  const byName = new Map(translations.map((translation) => [translation.routine, translation]));
  const summary = migrationMarkdown(
    {
      plan: options.name,
      project: '.',
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
  return [...project.files, { path: 'MIGRATION.md', text: summary }];
}
