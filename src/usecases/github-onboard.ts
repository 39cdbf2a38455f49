/** The pull request that a newly installed App opens: the workflow and a plan to begin with. */
import {
  onboardingBody,
  planNameOf,
  planSkeleton,
  SECRETS,
  WORKFLOW_PATH,
  workflowText,
} from '../core/workflows/template.ts';
import type { RunRepository } from '../ports/repository.ts';
import { readSettings } from './github-context.ts';
import type { GitHubContext } from './github-context.ts';

const ONBOARDING_BRANCH = 'sprocket-onboarding';

export interface OnboardOptions {
  /** `owner/name@<full SHA>` of the Action, and the release behind it. */
  readonly action: string;
  readonly version: string;
  /** Of the App, where it gives jobs their tokens. */
  readonly appUrl: string | null;
  /** The App is installed on no other repository: what is migrated stays in this one. */
  readonly isOnly: boolean;
}

/**
 * Gives the pull request's number; null where the repository has its workflow, was asked before, or
 * is where the models of another one will go.
 */
export async function onboard(
  { github, clock }: GitHubContext,
  repository: RunRepository,
  options: OnboardOptions,
): Promise<number | null> {
  const facts = await github.repository();
  const start = await github.commitOf(facts.defaultBranch);
  if (start === null || (await github.file(start, WORKFLOW_PATH)) !== null) return null;
  // One that was closed is an answer, too.
  if ((await github.pullsFrom(ONBOARDING_BRANCH)).length > 0) return null;
  if (!options.isOnly && (await github.paths(start)).some(isDbtProject)) return null;
  const { plan } = await readSettings(github);
  const files = new Map([[WORKFLOW_PATH, workflowText({ ...options, secrets: SECRETS })]]);
  if ((await github.file(start, plan)) === null) {
    files.set(plan, planSkeleton(planNameOf(github.name.repo)));
  }
  await repository.commit({
    branch: ONBOARDING_BRANCH,
    start,
    message: 'Add the workflow of Sprocket and a plan to begin with',
    at: clock.now(),
    files,
    rewrites: new Map(),
  });
  const pull = await github.createPull({
    title: 'Set up Sprocket',
    body: onboardingBody(`${facts.url}/settings/secrets/actions`, options.appUrl),
    head: ONBOARDING_BRANCH,
    base: facts.defaultBranch,
  });
  return pull.number;
}

function isDbtProject(path: string): boolean {
  return /(?:^|\/)dbt_project\.ya?ml$/u.test(path);
}
