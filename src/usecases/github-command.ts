/** What people say to a run on GitHub: comments, buttons, boxes. */
import { commandOfButton } from '../core/checkrun/buttons.ts';
import {
  CONTROL_EVENT,
  parseExternalId,
  parseWorkflowRunName,
  requestId,
} from '../core/checkrun/launch.ts';
import type { ControlPayload } from '../core/checkrun/launch.ts';
import { newlyTicked, readMarker } from '../core/checkrun/monitor.ts';
import { readCommentEvent } from '../core/commands/comment.ts';
import type { CommentEvent } from '../core/commands/comment.ts';
import { helpText } from '../core/commands/help.ts';
import { usageOf } from '../core/commands/parse.ts';
import type { ParsedComment } from '../core/commands/parse.ts';
import type { CommandSettings } from '../core/commands/settings.ts';
import { GitHubError } from '../ports/github.ts';
import { monitorFor, permissionOf, readSettings, RefusedError } from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { launch } from './github-launch.ts';
import { mergeToLaunch } from './github-pull-request.ts';

export interface CommentRequest extends CommentEvent {
  readonly comment: number;
  readonly issue: number;
  readonly onPullRequest: boolean;
  readonly author: string;
  readonly createdAt: string;
}

/** `waiting`: the control job gives the answer. */
export type CommandOutcome = 'ignored' | 'done' | 'refused' | 'waiting';

/** Reacts to a comment: 👀, then what it asks for, then 🚀, or 😕 with a reply. */
export async function onComment(
  context: GitHubContext,
  request: CommentRequest,
): Promise<CommandOutcome> {
  const { github } = context;
  const parsed = readCommentEvent(request);
  if (parsed.kind === 'none' || !(await concernsUs(context, request, parsed))) return 'ignored';
  const reactions = await github.ownReactions(request.comment);
  if (reactions.has('rocket') || reactions.has('confused')) return 'ignored';
  await github.react(request.comment, 'eyes');
  try {
    const outcome = await obey(context, request, parsed, reactions.has('eyes'));
    if (outcome === 'done') await github.react(request.comment, 'rocket');
    return outcome;
  } catch (error) {
    const why = explain(error);
    if (why === null) throw error;
    await github.reply(request.issue, why);
    await github.react(request.comment, 'confused');
    return 'refused';
  }
}

/** Words behind a slash may be meant for other bots, and forks have no say. */
async function concernsUs(
  { github }: GitHubContext,
  request: CommentRequest,
  parsed: ParsedComment,
): Promise<boolean> {
  if (parsed.kind === 'unknown' && parsed.nearest === null) {
    const issue = await github.issue(request.issue);
    if (issue === null || readMarker(issue.body) === null) return false;
  }
  if (!request.onPullRequest) return true;
  const pull = await github.pull(request.issue);
  return pull !== null && !pull.fromFork;
}

async function obey(
  context: GitHubContext,
  request: CommentRequest,
  parsed: Exclude<ParsedComment, { kind: 'none' }>,
  seenBefore: boolean,
): Promise<CommandOutcome> {
  const { github } = context;
  if (parsed.kind === 'unknown') {
    const hint = parsed.nearest === null ? '' : ` Did you mean \`${usageOf(parsed.nearest)}\`?`;
    throw new RefusedError(
      `There is no command \`/${parsed.word}\`.${hint} \`/help\` lists all of them.`,
    );
  }
  const settings = await readSettings(github, await github.repository());
  const name = parsed.kind === 'malformed' ? parsed.name : parsed.command.name;
  const permission = await permissionOf(github, settings, name, request.author);
  if (!permission.allowed) throw new RefusedError(permission.message);
  if (parsed.kind === 'malformed') throw new RefusedError(parsed.message);
  if (name === 'help') return answered(context, request, helpText(settings));
  if (name === 'launch') return launchByHand(context, request);
  const monitor = await monitorFor(github, request.issue);
  if (monitor === null) throw new RefusedError(NO_RUN);
  if (name === 'status') return answered(context, request, await statusText(context, monitor));
  const what = { kind: 'comment', comment: request.comment, issue: request.issue } as const;
  const id = requestId(monitor.marker.run, 'comment', request.comment);
  if (seenBefore && (await wasDispatched(context, id, request.createdAt))) return 'waiting';
  await control(context, monitor, id, request.author, what);
  return 'waiting';
}

const NO_RUN =
  'Nothing was launched in this repository yet. Comment `/launch`, or push a plan to the default branch.';

async function answered(
  { github }: GitHubContext,
  request: CommentRequest,
  body: string,
): Promise<CommandOutcome> {
  await github.reply(request.issue, body);
  return 'done';
}

async function launchByHand(
  context: GitHubContext,
  request: CommentRequest,
): Promise<CommandOutcome> {
  if (request.onPullRequest) {
    await mergeToLaunch(context, request.issue);
    return 'done';
  }
  await launchDefault(context);
  return 'done';
}

/** Launches what the default branch holds now; throws where that is refused. */
async function launchDefault(context: GitHubContext): Promise<void> {
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
  if (launched.kind === 'already') {
    throw new RefusedError(
      'It is launched already and has not ended. `/status` says how it stands.',
    );
  }
}

async function statusText({ github }: GitHubContext, { issue, marker }: Monitor): Promise<string> {
  const check = marker.check_run === null ? null : await github.check(marker.check_run);
  const title = check?.title ?? 'It has not begun yet.';
  const links = [
    check?.url === null || check === null ? null : `[Check run](${check.url})`,
    `[Monitor issue](${issue.url})`,
    marker.pull_request === null ? null : `[Pull request](${marker.pull_request})`,
  ];
  return `**${title}**\n\n${links.filter((link) => link !== null).join(' · ')}`;
}

export interface ButtonRequest {
  readonly check: number;
  readonly externalId: string;
  readonly identifier: string;
  readonly person: string;
  /** Of the webhook: the same where it comes again. */
  readonly delivery: string;
  /** Open pull requests whose head the check run is on. */
  readonly pulls: readonly number[];
}

/** Does what a button of a check run stands for. A refusal is said in the monitor issue. */
export async function onButton(
  context: GitHubContext,
  request: ButtonRequest,
): Promise<CommandOutcome> {
  const { github } = context;
  const command = commandOfButton(request.identifier);
  const id = parseExternalId(request.externalId);
  if (command === null || id === null) return 'ignored';
  const monitor = await monitorFor(github, null);
  try {
    const settings = await readSettings(github, await github.repository());
    await mustBeAllowed(context, settings, command, request.person);
    const [pull] = request.pulls;
    if (command === 'launch') {
      await (id.kind === 'plan' && pull !== undefined
        ? mergeToLaunch(context, pull)
        : launchDefault(context));
      return 'done';
    }
    if (monitor === null) throw new RefusedError(NO_RUN);
    const what = { kind: 'button', identifier: request.identifier } as const;
    const asked = requestId(monitor.marker.run, 'button', request.delivery);
    await control(context, monitor, asked, request.person, what);
    return 'waiting';
  } catch (error) {
    const why = explain(error);
    if (why === null) throw error;
    const issue = request.pulls[0] ?? monitor?.issue.number;
    if (issue !== undefined) await github.reply(issue, `The button of ${request.person}: ${why}`);
    return 'refused';
  }
}

export interface EditRequest {
  readonly issue: number;
  readonly before: string;
  readonly after: string;
  readonly person: string;
  readonly personType: string;
  readonly delivery: string;
}

/** Does what newly ticked boxes of a monitor issue stand for. */
export async function onIssueEdited(
  context: GitHubContext,
  request: EditRequest,
): Promise<CommandOutcome> {
  const { github } = context;
  const ticked = newlyTicked(request.before, request.after);
  if (ticked.length === 0 || request.personType !== 'User') return 'ignored';
  // Anybody may write such lines into an issue of their own: only ours count.
  const monitor = await monitorFor(github, request.issue);
  if (monitor === null || monitor.issue.number !== request.issue) return 'ignored';
  try {
    const settings = await readSettings(github, await github.repository());
    for (const kind of new Set(ticked.map((box) => box.kind))) {
      await mustBeAllowed(context, settings, kind, request.person);
    }
    const boxes = ticked.map(({ kind, id }) => `${kind}:${id}`);
    const id = requestId(monitor.marker.run, 'boxes', request.delivery);
    await control(context, monitor, id, request.person, { kind: 'boxes', boxes });
    return 'waiting';
  } catch (error) {
    const why = explain(error);
    if (why === null) throw error;
    await github.reply(request.issue, `The box of ${request.person}: ${why}`);
    return 'refused';
  }
}

async function mustBeAllowed(
  { github }: GitHubContext,
  settings: CommandSettings,
  command: NonNullable<ReturnType<typeof commandOfButton>>,
  person: string,
): Promise<void> {
  const permission = await permissionOf(github, settings, command, person);
  if (!permission.allowed) throw new RefusedError(permission.message);
}

/** Hands a request to the control job, which reaches the metadata tables. */
async function control(
  { github }: GitHubContext,
  { issue, marker }: Monitor,
  request: string,
  person: string,
  what: ControlPayload['what'],
): Promise<void> {
  if (marker.check_run === null) throw new RefusedError(NO_RUN);
  const payload: ControlPayload = {
    request,
    run: marker.run,
    sha: marker.sha,
    check_run: marker.check_run,
    issue: issue.number,
    person,
    what,
  };
  await github.dispatch(CONTROL_EVENT, payload);
}

async function wasDispatched(
  { github }: GitHubContext,
  id: string,
  since: string,
): Promise<boolean> {
  const runs = await github.dispatchedRuns(since);
  return runs.some(({ title }) => parseWorkflowRunName(title)?.id === id);
}

/** What to tell people; null where it is our own fault. */
function explain(error: unknown): string | null {
  if (error instanceof RefusedError) return error.message;
  if (error instanceof GitHubError && error.code !== 'unavailable') {
    return `${error.message} ${error.advice}`;
  }
  return null;
}
