/** Checks a plan on the pull request that changes it, and launches by merging. */
import { formatExternalId, planChanged } from '../core/checkrun/launch.ts';
import { planCheck, planProblems } from '../core/checkrun/plan-check.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { PullRequest } from '../ports/github.ts';
import { readPlans, RefusedError } from './github-context.ts';
import type { GitHubContext } from './github-context.ts';

interface ChangedPlan {
  readonly pull: PullRequest;
  readonly path: string;
  readonly blob: string;
  readonly text: string;
}

/** Null where the pull request is closed, gone, or leaves the plan as it is. */
async function changedPlan({ github }: GitHubContext, number: number): Promise<ChangedPlan | null> {
  const pull = await github.pull(number);
  if (pull === null || pull.state !== 'open') return null;
  const {
    path,
    files: [after = null],
  } = await readPlans(github, [pull.head.sha]);
  if (after === null) return null;
  const base = await github.mergeBase(pull.base.sha, pull.head.sha);
  const before = base === null ? null : await github.file(base, path);
  if (!planChanged(before, after)) return null;
  return { pull, path, blob: after.blob, text: after.text };
}

/**
 * Puts a check run on the head of a pull request that changes the plan.
 *
 * @param options.after the check run that a person wants again; 0: one is enough
 */
export async function checkPullRequest(
  context: GitHubContext,
  number: number,
  options: { readonly after: number } = { after: 0 },
): Promise<boolean> {
  const { github } = context;
  const changed = await changedPlan(context, number);
  if (changed === null) return false;
  const { pull, path, blob, text } = changed;
  const externalId = formatExternalId({ kind: 'plan', blob });
  const checks = await github.checksOf(pull.head.sha);
  const same = checks.filter((check) => check.externalId === externalId);
  if (same.some((check) => check.id > options.after)) return false;
  await github.createCheck(
    pull.head.sha,
    externalId,
    planCheck(parsePlan(text), { path, on: 'pull request' }),
  );
  return true;
}

/**
 * Merges a pull request that changes the plan; the push that follows launches it.
 *
 * @param options.again it was asked for before: that it is merged is no news
 * @throws {RefusedError} where the plan or the pull request stands against it
 */
export async function mergeToLaunch(
  context: GitHubContext,
  number: number,
  options: { readonly again: boolean },
): Promise<void> {
  if (options.again && (await context.github.pull(number))?.merged === true) return;
  const changed = await changedPlan(context, number);
  if (changed === null) {
    throw new RefusedError(
      'This pull request is not open, or does not change the plan. Comment `/launch` on an issue to start the plan of the default branch.',
    );
  }
  const { pull, text } = changed;
  const problems = planProblems(parsePlan(text));
  if (problems.length > 0) {
    const list = problems.slice(0, 20).map(({ line, message }) => `- line ${line}: ${message}`);
    throw new RefusedError(`The plan can't be launched yet:\n${list.join('\n')}`);
  }
  const { defaultBranch } = await context.github.repository();
  if (pull.base.ref !== defaultBranch) {
    throw new RefusedError(
      `It goes to \`${pull.base.ref}\`, and only \`${defaultBranch}\` launches. Change the base of the pull request.`,
    );
  }
  await context.github.merge(number, pull.head.sha);
}
