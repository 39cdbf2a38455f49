/** Brings the branch of a run up to what its tables hold. */
import { finishedProject, migrationFile } from '../core/lifecycle/branch.ts';
import { summarizeRun } from '../core/lifecycle/run.ts';
import type { RunSummary } from '../core/lifecycle/run.ts';
import { setStatus } from '../core/plan/edit.ts';
import type { StatusChange } from '../core/plan/edit.ts';
import { detailOf, progressTitle } from '../core/report/progress.ts';
import type { ProgressRow } from '../core/report/progress.ts';
import { loadParser } from '../core/translate/postgres/parser.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata.ts';
import type { BranchCommit, RunRepository } from '../ports/repository.ts';
import { readKnowledge, readRecordedRun, runBranch } from './run-knowledge.ts';
import { statusReader } from './status.ts';

export interface PublishOptions {
  readonly metadata: Metadata;
  readonly repository: RunRepository;
  readonly clock: Clock;
  readonly plan: string;
  /** Path of plan.md from the root of the repository. */
  readonly planPath: string;
}

export interface Published extends BranchCommit {
  readonly branch: string;
  readonly summary: RunSummary;
  /** Path of `MIGRATION.md` from the root of the repository. */
  readonly migrationPath: string;
  /** Folder of the dbt project from the root of the repository. */
  readonly projectPath: string;
}

/**
 * Commits the dbt project of what is done, `MIGRATION.md`, and `plan.md` with its Status columns;
 * the last alone where the plan only moves tables.
 * The same tables give the same files, so it may run at any time, by anybody, any number of times.
 */
export async function publish(options: PublishOptions): Promise<Published> {
  const { metadata, repository, plan, planPath } = options;
  await loadParser();
  const run = await readRecordedRun(metadata, plan);
  const knowledge = await readKnowledge(metadata, repository, run);
  const project = finishedProject(knowledge);
  const projectPath = run.parsed.settings.production.project;
  const migrationPath = beside(planPath, 'MIGRATION.md');
  const rows = (await statusReader(metadata, options.clock, plan).read())?.progress.rows ?? [];
  const changes = statusChanges(rows);
  const branch = runBranch(run.parsed);
  const committed = await repository.commit({
    branch,
    start: run.baseCommit,
    message: `${plan}: ${progressTitle(rows)}\n`,
    at: options.clock.now(),
    files:
      knowledge.members.size === 0
        ? new Map()
        : new Map([
            ...project.files.map(({ path, text }): [string, string] => [
              projectPath === '' ? path : `${projectPath}/${path}`,
              text,
            ]),
            [migrationPath, migrationFile(knowledge, project)],
          ]),
    rewrites: new Map([[planPath, (current) => planWithStatus(current, run.planText, changes)]]),
  });
  const summary = summarizeRun(
    [...knowledge.members.values()].map(({ state }) => state),
    await metadata.pipelines(plan),
  );
  if (summary.state === 'done' && run.finishedAt === null) {
    await metadata.setFinished(plan, options.clock.now());
  }
  return { ...committed, branch, summary, migrationPath, projectPath };
}

/** What the Status columns of plan.md say. */
export function statusChanges(rows: readonly ProgressRow[]): readonly StatusChange[] {
  return rows.map((row) => ({
    kind: row.kind,
    id: row.name,
    status: row.status,
    detail:
      row.kind === 'pipeline' || row.status === 'Blocked' || row.status === 'Failed'
        ? detailOf({ ...row, restarts: 0 })
        : null,
  }));
}

/** People's words on the branch stay, as long as they left the rows of the plan there. */
export function planWithStatus(
  current: string | null,
  planText: string,
  changes: readonly StatusChange[],
): string {
  const edited = current === null ? null : setStatus(current, changes);
  return edited === null || edited.notFound.length > 0
    ? setStatus(planText, changes).text
    : edited.text;
}

function beside(path: string, name: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? name : `${path.slice(0, slash)}/${name}`;
}
