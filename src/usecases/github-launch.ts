/** Starts runs: exactly one per plan content and commit, however often GitHub says that it changed. */
import {
  formatExternalId,
  isNoCommit,
  parseExternalId,
  planChanged,
  RUN_EVENT,
  runId,
} from '../core/checkrun/launch.ts';
import type { RunPayload } from '../core/checkrun/launch.ts';
import { monitorTitle, openingBody, withMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { planCheck, planProblems, scopeWords } from '../core/checkrun/plan-check.ts';
import type { CheckContent } from '../core/checkrun/types.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { CheckRun, Issue, RepositoryFacts, RepositoryFile } from '../ports/github.ts';
import { createCheckOnce } from './github-check-once.ts';
import { monitors, readPlans, RefusedError } from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';

export interface PushEvent {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

export type Launched =
  | {
      readonly kind: 'launched';
      readonly run: string;
      readonly check: number;
      readonly sha: string;
    }
  | { readonly kind: 'already'; readonly run: string; readonly check: number; readonly sha: string }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  | { readonly kind: 'no plan'; readonly path: string };

/** Launches where a push to the default branch changed the plan; null where it did not. */
export async function launchOnPush(
  context: GitHubContext,
  event: PushEvent,
): Promise<Launched | null> {
  const { github } = context;
  const repository = await github.repository();
  if (event.ref !== `refs/heads/${repository.defaultBranch}` || isNoCommit(event.after))
    return null;
  const { path, files } = await readPlans(github, [
    event.after,
    repository.defaultBranch,
    ...(isNoCommit(event.before) ? [] : [event.before]),
  ]);
  const [after = null, now = null, before = null] = files;
  if (!planChanged(before, after)) return null;
  // Told late: the push that changed it since then has its own event, or is found by the reconcile.
  if (now?.blob !== after?.blob) return null;
  return launchPlan(context, { repository, sha: event.after, path, file: after }, { again: false });
}

/** Launches the plan of a commit; see `launchPlan`. */
export async function launch(
  context: GitHubContext,
  sha: string,
  options: LaunchOptions,
): Promise<Launched> {
  const { github } = context;
  const repository = await github.repository();
  const {
    path,
    files: [file = null],
  } = await readPlans(github, [sha]);
  return launchPlan(context, { repository, sha, path, file }, options);
}

interface LaunchOptions {
  /** A person asks for it: also where it ran before and has ended. */
  readonly again: boolean;
}

interface PlanOfCommit {
  readonly repository: RepositoryFacts;
  readonly sha: string;
  readonly path: string;
  /** Null where the commit has no plan. */
  readonly file: RepositoryFile | null;
}

/**
 * The order of steps is such that a crash between any two of them is mended by doing it all again.
 */
async function launchPlan(
  context: GitHubContext,
  { repository, sha, path, file }: PlanOfCommit,
  options: LaunchOptions,
): Promise<Launched> {
  const { github } = context;
  if (file === null) return { kind: 'no plan', path };
  const parsed = parsePlan(file.text);
  const problems = planProblems(parsed);
  const checks = await github.checksOf(sha);
  if (parsed.plan === null || problems.length > 0) {
    const externalId = formatExternalId({ kind: 'plan', blob: file.blob });
    if (!checks.some((check) => check.externalId === externalId)) {
      await github.createCheck(sha, externalId, planCheck(parsed, { path, on: 'default branch' }));
    }
    return {
      kind: 'refused',
      problems: problems.map(({ line, message }) => `line ${line}: ${message}`),
    };
  }
  const { name } = parsed.plan.settings;
  const monitor = (await monitors(github)).find(({ marker }) => marker.plan === name) ?? null;
  const known = monitor?.marker;
  if (!options.again && known !== undefined && known.blob === file.blob && known.leg > 0) {
    // On this commit or on another: the same push told again, or a plan that came back.
    return { kind: 'already', run: known.run, check: known.check_run ?? 0, sha: known.sha };
  }
  const { attempt, run } = attemptOf(checks, options.again, (next) =>
    runId(repository.id, sha, file.blob, next),
  );
  const externalId = formatExternalId({ kind: 'run', run, attempt });
  const words = scopeWords(parsed.plan);
  const check =
    checks.find((each) => each.externalId === externalId) ??
    (await createCheckOnce(github, sha, externalId, startingCheck(words)));
  if (monitor?.marker.run === run && monitor.marker.leg > 0) {
    return { kind: 'already', run, check: check.id, sha };
  }
  const marker: MonitorMarker = {
    plan: name,
    run,
    sha,
    blob: file.blob,
    check_run: check.id,
    attempt,
    leg: 0,
    resumed: 0,
    pull_request: null,
    reported: null,
  };
  const issue = await writeMonitor(context, monitor, marker, `Launched: ${words}.`);
  await closeFormer(context, known, check);
  await dispatchRun(context, { issue, marker }, 1, 0);
  return { kind: 'launched', run, check: check.id, sha };
}

/**
 * Launches what the default branch holds now.
 *
 * @param options.again it was asked for before: that it is launched already is no news
 * @throws {RefusedError} where the plan stands against it
 */
export async function launchDefault(
  context: GitHubContext,
  options: { readonly again: boolean },
): Promise<void> {
  const { github } = context;
  const { defaultBranch } = await github.repository();
  const sha = await github.commitOf(defaultBranch);
  if (sha === null) throw new RefusedError('The default branch has no commit yet.');
  const launched = await launch(context, sha, { again: true });
  if (launched.kind === 'no plan') {
    throw new RefusedError(
      `There is no \`${launched.path}\` on the default branch. \`sprocket plan\` drafts one, or say in \`.github/sprocket.yml\` where it is.`,
    );
  }
  if (launched.kind === 'refused') {
    const list = launched.problems.slice(0, 20).map((problem) => `- ${problem}`);
    throw new RefusedError(`The plan can't be launched:\n${list.join('\n')}`);
  }
  if (launched.kind === 'already' && !options.again) {
    throw new RefusedError(
      'It is launched already and has not ended. `/status` says how it stands.',
    );
  }
}

/** Asks for another workflow run of a run: its first, a continuation or a resumption. */
export async function dispatchRun(
  { github }: GitHubContext,
  { issue, marker }: Monitor,
  leg: number,
  resumed: number,
): Promise<void> {
  const { run, sha, check_run: check } = marker;
  if (check === null) throw new Error(`run ${run} has no check run`);
  const payload: RunPayload = { run, sha, check_run: check, issue: issue.number, leg, resumed };
  await github.dispatch(RUN_EVENT, payload);
  // Read again: people may have ticked a box meanwhile.
  const current = await github.issue(issue.number);
  await github.updateIssue(issue.number, {
    body: withMarker(current?.body ?? issue.body, { ...marker, leg, resumed }),
  });
}

function startingCheck(words: string): CheckContent {
  return {
    state: { status: 'queued' },
    title: `Starting: ${words}`,
    summary: 'The workflow was asked to start. Progress appears here as soon as it does.',
    text: null,
    annotations: [],
    buttons: [],
    detailsUrl: null,
  };
}

/** The launch of a commit that has not ended, else its last; another one where a person asks again. */
function attemptOf(
  checks: readonly CheckRun[],
  again: boolean,
  runOf: (attempt: number) => string,
): { readonly attempt: number; readonly run: string } {
  const last = checks
    .flatMap(({ externalId, state }) => {
      const id = parseExternalId(externalId);
      return id?.kind === 'run' ? [{ ...id, ended: state.status === 'completed' }] : [];
    })
    .toSorted((a, b) => a.attempt - b.attempt)
    .at(-1);
  if (last === undefined) return { attempt: 0, run: runOf(0) };
  const next = last.attempt + 1;
  return again && last.ended ? { attempt: next, run: runOf(next) } : last;
}

/** A check run of a run that another launch follows would stay open for ever. */
async function closeFormer(
  { github }: GitHubContext,
  former: MonitorMarker | undefined,
  check: CheckRun,
): Promise<void> {
  if (former === undefined || former.check_run === null || former.check_run === check.id) return;
  const found = await github.check(former.check_run);
  if (found === null || found.state.status === 'completed') return;
  const link = check.url === null ? 'another launch' : `[another launch](${check.url})`;
  await github.updateCheck(found.id, {
    state: { status: 'completed', conclusion: 'neutral' },
    title: 'Followed by another launch',
    summary: `The run goes on with ${link}. What was completed is not run again.`,
    text: null,
    annotations: [],
    buttons: [],
    detailsUrl: check.url,
  });
}

async function writeMonitor(
  { github }: GitHubContext,
  monitor: Monitor | null,
  marker: MonitorMarker,
  message: string,
): Promise<Issue> {
  const body = openingBody(marker, message);
  if (monitor === null) return github.createIssue({ title: monitorTitle(marker.plan), body });
  await github.updateIssue(monitor.issue.number, {
    body,
    ...(monitor.issue.state === 'open' ? {} : { state: 'open' as const }),
  });
  return { ...monitor.issue, body };
}
