/** The pull request on the production repository: exactly one per plan, however often it is asked for. */
import {
  pullRequestBody,
  pullRequestTitle,
  runOfPullRequest,
} from '../core/checkrun/pull-request.ts';
import type { Plan } from '../core/plan/types.ts';
import type { GitHub, PullRequest } from '../ports/github.ts';
import type { RunRepository } from '../ports/repository.ts';
import type { Published } from './finish.ts';
import type { GitHubContext } from './github-context.ts';

export interface PullRequestOptions {
  readonly plan: Plan;
  readonly run: string;
  readonly published: Published;
  /** The migration repository, which holds the run's branch, and where people see it. */
  readonly migration: RunRepository;
  readonly migrationUrl: string;
  /** The production repository; the same where the plan names none. */
  readonly production: GitHub;
  readonly productionRepository: RunRepository;
  readonly models: number;
}

/** Opens the pull request or brings it up to date; what people committed to it stays. */
export async function openPullRequest(
  { github, clock }: GitHubContext,
  options: PullRequestOptions,
): Promise<PullRequest> {
  const { plan, published, migration, production, productionRepository } = options;
  const { settings } = plan;
  const facts = await production.repository();
  const base = settings.production.base ?? facts.defaultBranch;
  const { branch, commit, migrationPath, projectPath } = published;
  const summary = (await migration.readFile(commit, migrationPath)) ?? '';
  if (!isSame(production, github)) {
    const files = await migration.readFolder(commit, projectPath);
    await productionRepository.commit({
      branch,
      start: await production.commitOf(base),
      message: `Models of ${settings.name}, proven equal to the procedures that they replace\n`,
      at: clock.now(),
      files: new Map([
        ...files,
        [`${projectPath === '' ? '' : `${projectPath}/`}MIGRATION.md`, summary],
      ]),
      rewrites: new Map(),
    });
  }
  const body = pullRequestBody({
    plan: settings.name,
    run: options.run,
    summary,
    summaryUrl: `${options.migrationUrl}/blob/${branch}/${migrationPath}`,
  });
  const known = await existing(production, branch, settings.name, options.run);
  if (known !== null) {
    if (known.state !== 'open') return known;
    // A conflict is left to people: GitHub shows it on the pull request.
    await production.mergeBranch(branch, base);
    await production.updatePull(known.number, { body });
    return known;
  }
  const made = await createOnce(production, {
    title: pullRequestTitle(settings.name, options.models),
    body,
    head: branch,
    base,
  });
  await production.addLabels(made.number, settings.production.labels);
  const { reviewers } = settings.production;
  const refused = await production.requestReviews(
    made.number,
    reviewers.filter((each) => !each.includes('/')),
    reviewers.flatMap((each) => each.split('/')[1] ?? []),
  );
  if (refused.length > 0) {
    await production.reply(
      made.number,
      `The plan asks for reviews by ${refused.map((each) => `\`${each}\``).join(', ')}, who can't be asked here. Give them access to this repository, or change \`production.reviewers\`.`,
    );
  }
  return made;
}

/** The plan's open one, else the run's own: one that was closed or merged is not opened again. */
async function existing(
  production: GitHub,
  branch: string,
  plan: string,
  run: string,
): Promise<PullRequest | null> {
  const runs = (await production.pullsFrom(branch)).flatMap((pull) => {
    const of = runOfPullRequest(pull.body, plan);
    return of === null ? [] : [{ pull, of }];
  });
  const open = runs.find(({ pull }) => pull.state === 'open');
  return (open ?? runs.find(({ of }) => of === run))?.pull ?? null;
}

/** Two that finish at once: GitHub refuses the second, which then takes the first's. */
async function createOnce(
  production: GitHub,
  pull: Parameters<GitHub['createPull']>[0],
): Promise<PullRequest> {
  try {
    return await production.createPull(pull);
  } catch (error) {
    const [other] = (await production.pullsFrom(pull.head)).filter(({ state }) => state === 'open');
    if (other === undefined) throw error;
    return other;
  }
}

function isSame(a: GitHub, b: GitHub): boolean {
  return a.name.owner === b.name.owner && a.name.repo === b.name.repo;
}
