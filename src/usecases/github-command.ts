/** What people say to a run in comments. */
import { requestId } from '../core/checkrun/launch.ts';
import { readMarker } from '../core/checkrun/monitor.ts';
import { readCommentEvent } from '../core/commands/comment.ts';
import type { CommentEvent } from '../core/commands/comment.ts';
import { helpText } from '../core/commands/help.ts';
import { usageOf } from '../core/commands/parse.ts';
import type { ParsedComment } from '../core/commands/parse.ts';
import {
  explain,
  monitorFor,
  NO_RUN,
  permissionOf,
  readSettings,
  RefusedError,
  replyOnce,
} from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { handOver, wasDispatched } from './github-hand-over.ts';
import type { CommandContext } from './github-hand-over.ts';
import { launchDefault } from './github-launch.ts';
import { mergeToLaunch } from './github-pull-request.ts';

export interface CommentRequest extends CommentEvent {
  readonly comment: number;
  readonly issue: number;
  readonly onPullRequest: boolean;
  readonly author: string;
  readonly createdAt: string;
}

/** `waiting`: whoever reaches the tables gives the answer. */
export type CommandOutcome = 'ignored' | 'done' | 'refused' | 'waiting';

/** A comment that is to be obeyed. */
interface Heard {
  readonly request: CommentRequest;
  /** It was begun before, by this process or by one that died over it. */
  readonly seenBefore: boolean;
}

/** Reacts to a comment: 👀, then what it asks for, then 🚀, or 😕 with a reply. */
export async function onComment(
  context: CommandContext,
  request: CommentRequest,
): Promise<CommandOutcome> {
  const { github } = context;
  const parsed = readCommentEvent(request);
  if (parsed.kind === 'none' || !(await concernsUs(context, request, parsed))) return 'ignored';
  const reactions = await github.ownReactions(request.comment);
  if (reactions.has('rocket') || reactions.has('confused')) return 'ignored';
  await github.react(request.comment, 'eyes');
  const heard: Heard = { request, seenBefore: reactions.has('eyes') };
  try {
    const outcome = await obey(context, heard, parsed);
    if (outcome === 'done') await github.react(request.comment, 'rocket');
    return outcome;
  } catch (error) {
    const why = explain(error);
    if (why === null) throw error;
    await answer(context, heard, why);
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
  context: CommandContext,
  heard: Heard,
  parsed: Exclude<ParsedComment, { kind: 'none' }>,
): Promise<CommandOutcome> {
  const { github } = context;
  const { request, seenBefore } = heard;
  if (parsed.kind === 'unknown') {
    const hint = parsed.nearest === null ? '' : ` Did you mean \`${usageOf(parsed.nearest)}\`?`;
    throw new RefusedError(
      `There is no command \`/${parsed.word}\`.${hint} \`/help\` lists all of them.`,
    );
  }
  const settings = await readSettings(github);
  const name = parsed.kind === 'malformed' ? parsed.name : parsed.command.name;
  const permission = await permissionOf(github, settings, name, request.author);
  if (!permission.allowed) throw new RefusedError(permission.message);
  if (parsed.kind === 'malformed') throw new RefusedError(parsed.message);
  if (name === 'help') return answer(context, heard, helpText(settings));
  if (name === 'launch') return launchByHand(context, heard);
  const monitor = await monitorFor(github, request.issue);
  if (monitor === null) throw new RefusedError(NO_RUN);
  if (name === 'status') return answer(context, heard, await statusText(context, monitor));
  const id = requestId(monitor.marker.plan, 'comment', request.comment);
  if (seenBefore && (await wasDispatched(github, id, request.createdAt))) return 'waiting';
  await handOver(context, monitor, {
    request: id,
    person: request.author,
    at: request.createdAt,
    what: { kind: 'comment', comment: request.comment, issue: request.issue },
    // A person's model is on a branch, and what the source keeps for a run is on the source.
    needsWorkflow: name === 'manual' || name === 'reset',
  });
  return 'waiting';
}

async function answer(
  { github }: GitHubContext,
  { request, seenBefore }: Heard,
  body: string,
): Promise<CommandOutcome> {
  const place = { issue: request.issue, key: `comment ${request.comment}` };
  await replyOnce(github, { ...place, since: seenBefore ? request.createdAt : null }, body);
  return 'done';
}

async function launchByHand(
  context: GitHubContext,
  { request, seenBefore }: Heard,
): Promise<CommandOutcome> {
  if (request.onPullRequest) await mergeToLaunch(context, request.issue, { again: seenBefore });
  else await launchDefault(context, { again: seenBefore });
  return 'done';
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
