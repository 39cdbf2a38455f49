/** `scope`: drafts the plan from the source and offers it as a pull request. */
import { info, warning } from '@actions/core';
import { openCatalog } from '../../src/adapters/postgres/catalog-reader.ts';
import { leadToSame } from '../../src/adapters/postgres/connection.ts';
import type { DatabaseAddress } from '../../src/ports/catalog.ts';
import { planNameOf } from '../../src/core/workflows/template.ts';
import type { PlanSettings } from '../../src/core/plan/types.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import { draftPlan } from '../../src/usecases/scope.ts';
import { readSettings } from '../../src/usecases/github-context.ts';
import { JobError } from '../runner.ts';
import { databaseAddress, openJob } from '../wiring.ts';

const SCOPE_BRANCH = 'sprocket-scope';

export async function scopeCommand(): Promise<void> {
  const { context, repository } = await openJob('scope');
  const { github, clock } = context;
  const facts = await github.repository();
  const { plan: path } = await readSettings(github);
  const start = await github.commitOf(facts.defaultBranch);
  const current = start === null ? null : await github.file(start, path);
  const settings = current === null ? null : (parsePlan(current.text).plan?.settings ?? null);
  if (current !== null && settings === null) {
    throw new JobError(
      `${path} can't be read: mend what the check run lists, then run this again.`,
    );
  }
  const sourceVariable = settings?.source.urlVariable ?? 'SOURCE_DATABASE_URL';
  const targetVariable = settings?.target.urlVariable ?? 'TARGET_DATABASE_URL';
  const source = databaseAddress(sourceVariable);
  const reader = await openCatalog(source);
  try {
    const drafted = await draftPlan({
      reader,
      schemas: null,
      settings: draftSettings(settings, github.name.repo, sourceVariable, targetVariable),
      oneDatabase: isOneDatabase(source, targetVariable),
    });
    const committed = await repository.commit({
      branch: SCOPE_BRANCH,
      start,
      message: 'Draft the migration plan from the source',
      at: clock.now(),
      files: new Map([[path, drafted.text]]),
      rewrites: new Map(),
    });
    if (committed.kept.length > 0) {
      warning(`${path} on ${SCOPE_BRANCH} was changed by a person and is left as it is.`);
    }
    const open = (await github.pullsFrom(SCOPE_BRANCH)).find(({ state }) => state === 'open');
    const pull =
      open ??
      (await github.createPull({
        title: `Plan the migration of ${drafted.draft.name}`,
        body: 'Drafted from the source. Choose in the `Include` columns; the check `Sprocket` says what is missing. **Merging this launches the run.**',
        head: SCOPE_BRANCH,
        base: facts.defaultBranch,
      }));
    info(`The plan is offered at ${pull.url}`);
  } finally {
    await reader.close();
  }
}

/** The target need not be there yet: then it is taken for another database. */
function isOneDatabase(source: DatabaseAddress, targetVariable: string): boolean {
  const url = process.env[targetVariable] ?? '';
  return url !== '' && leadToSame(source, { setting: targetVariable, url });
}

function draftSettings(
  settings: PlanSettings | null,
  repository: string,
  sourceVariable: string,
  targetVariable: string,
) {
  return {
    name: settings?.name ?? planNameOf(repository),
    source: {
      dialect: settings?.source.dialect ?? ('postgres' as const),
      urlVariable: sourceVariable,
    },
    target: {
      dialect: settings?.target.dialect ?? ('postgres' as const),
      urlVariable: targetVariable,
      metadataSchema: settings?.target.metadataSchema ?? 'wirekite',
    },
    sandboxUrlVariable: settings?.sandbox?.urlVariable ?? null,
    production: {
      repository: settings?.production.repository ?? null,
      base: settings?.production.base ?? null,
      project: settings?.production.project ?? 'transform',
    },
    workers: settings?.workers ?? 4,
    maxRows: settings?.proof.maxRows ?? 100_000,
  };
}
