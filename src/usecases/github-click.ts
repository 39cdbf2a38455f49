/** What people click: buttons of a check run, boxes of a monitor issue. */
import { commandOfButton } from '../core/checkrun/buttons.ts';
import { parseExternalId, requestId } from '../core/checkrun/launch.ts';
import type { ExternalId } from '../core/checkrun/launch.ts';
import { newlyTicked } from '../core/checkrun/monitor.ts';
import type { CommandName } from '../core/commands/table.ts';
import type { CommandOutcome } from './github-command.ts';
import {
  explain,
  monitorFor,
  monitors,
  NO_RUN,
  permissionOf,
  readSettings,
  RefusedError,
  replyOnce,
} from './github-context.ts';
import type { GitHubContext, Monitor } from './github-context.ts';
import { handOver, wasDispatched } from './github-hand-over.ts';
import type { CommandContext, HandedOver } from './github-hand-over.ts';
import { launchDefault } from './github-launch.ts';
import { checkPullRequest, mergeToLaunch } from './github-pull-request.ts';

interface Click {
  readonly person: string;
  /** Of the webhook: the same where it comes again. */
  readonly delivery: string;
  /** When the webhook was heard: what was clicked says no more. */
  readonly at: string;
}

export interface ButtonRequest extends Click {
  readonly check: number;
  readonly externalId: string;
  readonly identifier: string;
  /** Open pull requests whose head the check run is on. */
  readonly pulls: readonly number[];
}

/** Does what a button of a check run stands for. A refusal is said in the monitor issue. */
export async function onButton(
  context: CommandContext,
  request: ButtonRequest,
): Promise<CommandOutcome> {
  const command = commandOfButton(request.identifier);
  const id = parseExternalId(request.externalId);
  if (command === null || id === null) return 'ignored';
  const monitor = await monitorOf(context, id);
  try {
    await mustBeAllowed(context, command, request.person);
    if (command === 'launch') return await launchByButton(context, request, id, monitor);
    if (monitor === null) throw new RefusedError(NO_RUN);
    return await ask(context, monitor, request, {
      id: requestId(monitor.marker.plan, 'button', request.delivery),
      what: { kind: 'button', identifier: request.identifier },
    });
  } catch (error) {
    const why = explain(error);
    if (why === null) throw error;
    const issue = request.pulls[0] ?? monitor?.issue.number;
    if (issue !== undefined) await refuse(context, issue, request, `The button of`, why);
    return 'refused';
  }
}

/** The run that a button is about; of a check run that another run has followed, none. */
async function monitorOf({ github }: GitHubContext, id: ExternalId): Promise<Monitor | null> {
  if (id.kind === 'plan') return monitorFor(github, null);
  return (await monitors(github)).find(({ marker }) => marker.run === id.run) ?? null;
}

async function launchByButton(
  context: GitHubContext,
  { pulls }: ButtonRequest,
  id: ExternalId,
  monitor: Monitor | null,
): Promise<CommandOutcome> {
  const [pull] = pulls;
  // A check run that another launch has followed: the click is told late, or a second time.
  if (id.kind === 'run' && monitor === null) return 'ignored';
  if (id.kind === 'run') await launchDefault(context, { again: true });
  // Of a fork: GitHub names no pull request, and it has no say.
  else if (pull === undefined) return 'ignored';
  else await mergeToLaunch(context, pull, { again: true });
  return 'done';
}

/** Does what "Re-run" stands for: a plan is checked again, a run goes on. */
export async function onRerun(
  context: CommandContext,
  request: Omit<ButtonRequest, 'identifier'>,
): Promise<CommandOutcome> {
  const id = parseExternalId(request.externalId);
  if (id === null) return 'ignored';
  if (id.kind === 'run') return onButton(context, { ...request, identifier: 'resume' });
  for (const pull of request.pulls) await checkPullRequest(context, pull, { after: request.check });
  return 'done';
}

export interface EditRequest extends Click {
  readonly issue: number;
  readonly before: string;
  readonly after: string;
  readonly personType: string;
}

/** Does what newly ticked boxes of a monitor issue stand for. */
export async function onIssueEdited(
  context: CommandContext,
  request: EditRequest,
): Promise<CommandOutcome> {
  const ticked = newlyTicked(request.before, request.after);
  if (ticked.length === 0 || request.personType !== 'User') return 'ignored';
  // Anybody may write such lines into an issue of their own: only ours count.
  const monitor = await monitorFor(context.github, request.issue);
  if (monitor === null || monitor.issue.number !== request.issue) return 'ignored';
  try {
    for (const kind of new Set(ticked.map((box) => box.kind))) {
      await mustBeAllowed(context, kind, request.person);
    }
    return await ask(context, monitor, request, {
      id: requestId(monitor.marker.plan, 'boxes', request.delivery),
      what: { kind: 'boxes', boxes: ticked.map(({ kind, id }) => `${kind}:${id}`) },
    });
  } catch (error) {
    const why = explain(error);
    if (why === null) throw error;
    await refuse(context, request.issue, request, `The box of`, why);
    return 'refused';
  }
}

async function ask(
  context: CommandContext,
  monitor: Monitor,
  { person, at }: Click,
  asked: { readonly id: string; readonly what: HandedOver['what'] },
): Promise<CommandOutcome> {
  const { github } = context;
  if (await wasDispatched(github, asked.id, daysBefore(at))) return 'waiting';
  await handOver(context, monitor, {
    request: asked.id,
    person,
    at,
    what: asked.what,
    needsWorkflow: false,
  });
  return 'waiting';
}

async function mustBeAllowed(
  { github }: GitHubContext,
  command: CommandName,
  person: string,
): Promise<void> {
  const settings = await readSettings(github);
  const permission = await permissionOf(github, settings, command, person);
  if (!permission.allowed) throw new RefusedError(permission.message);
}

/** GitHub gives a webhook again for so long. */
const TOLD_DAYS = 3;

async function refuse(
  { github }: GitHubContext,
  issue: number,
  { person, delivery, at }: Click,
  whose: string,
  why: string,
): Promise<void> {
  const place = { issue, key: delivery, since: daysBefore(at) };
  await replyOnce(github, place, `${whose} ${person}: ${why}`);
}

/** From when on a click may have been told before. */
function daysBefore(at: string): string {
  return new Date(Date.parse(at) - TOLD_DAYS * 86_400_000).toISOString();
}
