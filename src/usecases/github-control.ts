/** Does in the metadata tables what a person asked for on GitHub, and answers there. */
import { parseWorkflowRunName } from '../core/checkrun/launch.ts';
import type { ControlPayload } from '../core/checkrun/launch.ts';
import { commandOfButton } from '../core/checkrun/buttons.ts';
import { boxId, readMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { parseComment } from '../core/commands/parse.ts';
import type { Command } from '../core/commands/parse.ts';
import { effectiveAction } from '../core/lifecycle/action.ts';
import type { Action } from '../core/lifecycle/action.ts';
import { isLoadOpen } from '../core/lifecycle/pipelines.ts';
import { isDoneBefore, laterAction } from '../core/lifecycle/requests.ts';
import type { DoneRequest } from '../core/lifecycle/requests.ts';
import { selectProcedures } from '../core/lifecycle/select.ts';
import type { Instant, Status } from '../core/lifecycle/state.ts';
import type { Plan } from '../core/plan/types.ts';
import { markdownText } from '../core/report/markdown.ts';
import type { GitHub } from '../ports/github.ts';
import type { Metadata } from '../ports/metadata.ts';
import { decide, setAction } from './control.ts';
import { permissionOf, readSettings, RefusedError, replyOnce } from './github-context.ts';
import type { GitHubContext } from './github-context.ts';
import { dispatchRun } from './github-launch.ts';
import { logText } from './github-log.ts';
import { reset } from './reset.ts';

export interface ControlOptions {
  readonly metadata: Metadata;
  readonly plan: Plan;
  readonly payload: ControlPayload;
  /** Drops what the source keeps for the plan; null where it keeps nothing. */
  readonly release: (() => Promise<void>) | null;
}

/** What is asked for, and when. */
interface Asked {
  readonly commands: readonly Command[];
  readonly at: Instant;
}

/** Gives what was done, for the job's summary; null where it was done before. */
export async function control(
  context: GitHubContext,
  options: ControlOptions,
): Promise<string | null> {
  const { github } = context;
  const { payload, metadata, plan } = options;
  const name = plan.settings.name;
  const comment = payload.what.kind === 'comment' ? payload.what.comment : null;
  if (comment !== null) {
    const reactions = await github.ownReactions(comment);
    if (reactions.has('rocket') || reactions.has('confused')) return null;
  }
  const known = await metadata.requests(name);
  if (isDoneBefore(known, payload.request)) {
    // It was recorded, and the process that did so died before it could say so.
    if (comment !== null) await github.react(comment, 'rocket');
    return null;
  }
  try {
    const asked = await askedFor(context, options);
    const done: string[] = [];
    for (const command of asked.commands) {
      await mustBeAllowed(context, command, payload.person);
      mustBeLatest(known, command, asked.at);
      done.push(await obey(context, options, command));
    }
    const action = asked.commands.map(actionOf).find((each) => each !== null) ?? null;
    await metadata.recordRequest(name, { id: payload.request, askedAt: asked.at, action });
    await wakeWorkers(context, options);
    if (comment !== null) await github.react(comment, 'rocket');
    return done.join('\n');
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    await refuse(context, payload, error.message);
    await metadata.recordRequest(name, { id: payload.request, askedAt: payload.at, action: null });
    return error.message;
  }
}

async function refuse(
  context: GitHubContext,
  payload: ControlPayload,
  message: string,
): Promise<void> {
  const { what, person } = payload;
  const whose = {
    comment: '',
    button: `The button of ${person}: `,
    boxes: `The box of ${person}: `,
  };
  await answer(context, payload, `${whose[what.kind]}${message}`);
  if (what.kind === 'comment') await context.github.react(what.comment, 'confused');
}

/** Once, although the same may be told again to another process. */
async function answer(
  { github }: GitHubContext,
  { what, issue, request, at }: ControlPayload,
  body: string,
): Promise<void> {
  const place = what.kind === 'comment' ? what.issue : issue;
  if (place !== null) await replyOnce(github, { issue: place, key: request, since: at }, body);
}

/** What is asked for, read from where it was said: the payload has ids only. */
async function askedFor(
  { github }: GitHubContext,
  { payload, metadata, plan }: ControlOptions,
): Promise<Asked> {
  const { what, at } = payload;
  if (what.kind === 'button') {
    const name = commandOfButton(what.identifier);
    if (name === null) throw new RefusedError(`There is no button \`${what.identifier}\`.`);
    return { commands: [{ name, procedures: [], reason: null }], at };
  }
  if (what.kind === 'comment') {
    const found = await github.comment(what.comment);
    if (found === null) throw new RefusedError('The comment is gone.');
    if (found.updatedAt !== found.createdAt || found.author !== payload.person) {
      throw new RefusedError(
        'The comment was edited. Write a new one: edited ones are not obeyed.',
      );
    }
    const parsed = parseComment(found.body);
    if (parsed.kind !== 'command') throw new RefusedError('The comment holds no command.');
    return { commands: [parsed.command], at: found.createdAt };
  }
  const ids = [...(await metadata.members(plan.settings.name)).keys()];
  const byBox = new Map(ids.map((id) => [boxId(id), id]));
  const named = (kind: 'retry' | 'skip') =>
    what.boxes.flatMap((box) => {
      const id = box.startsWith(`${kind}:`) ? byBox.get(box.slice(kind.length + 1)) : undefined;
      return id === undefined ? [] : [id];
    });
  const commands = (['retry', 'skip'] as const)
    .map((name): Command => ({ name, procedures: named(name), reason: null }))
    .filter(({ procedures }) => procedures.length > 0);
  return { commands, at };
}

/** Webhooks may come late: what was said before another word about the whole run is over. */
function mustBeLatest(known: readonly DoneRequest[], command: Command, at: Instant): void {
  const later = actionOf(command) === null ? null : laterAction(known, at);
  if (later === null) return;
  throw new RefusedError(
    `Something that was asked for later came first: the action is ${later.action} since ${later.askedAt}. Say it again if you still want it.`,
  );
}

async function mustBeAllowed(
  { github }: GitHubContext,
  command: Command,
  person: string,
): Promise<void> {
  const settings = await readSettings(github);
  const permission = await permissionOf(github, settings, command.name, person);
  if (!permission.allowed) throw new RefusedError(permission.message);
}

const ACTIONS = { pause: 'PAUSE', stop: 'STOP', resume: 'RUN' } as const;

function actionOf({ name }: Command): Action | null {
  return name === 'pause' || name === 'stop' || name === 'resume' ? ACTIONS[name] : null;
}

async function obey(
  context: GitHubContext,
  options: ControlOptions,
  command: Command,
): Promise<string> {
  const { github, clock } = context;
  const { metadata, plan, payload } = options;
  const { person } = payload;
  const name = plan.settings.name;
  switch (command.name) {
    case 'pause':
    case 'stop':
    case 'resume':
      await setAction(metadata, clock, {
        plan: name,
        action: ACTIONS[command.name],
        person,
        reason: command.reason,
      });
      return `The action is ${ACTIONS[command.name]}.`;
    case 'retry':
    case 'skip':
    case 'manual':
    case 'accept': {
      const { changed, problems } = await decide(metadata, clock, {
        plan: name,
        decision: command.name,
        names: command.procedures,
        person,
        reason: command.reason,
      });
      if (problems.length > 0) {
        const list = problems.map((each) => `- ${markdownText(`${each.name}: ${each.message}`)}`);
        const rest =
          changed.length === 0 ? '' : `\n\nDone for: ${markdownText(changed.join(', '))}.`;
        throw new RefusedError(`It can't be done for all of them:\n${list.join('\n')}${rest}`);
      }
      if (changed.length === 0) throw new RefusedError('Nothing has failed.');
      return `${command.name}: ${changed.join(', ')}`;
    }
    case 'log': {
      const ids = [...(await metadata.members(name)).keys()];
      const { ids: found, problems } = selectProcedures(command.procedures, ids);
      const [id] = found;
      if (id === undefined) {
        throw new RefusedError(markdownText(problems.map(({ message }) => message).join(' ')));
      }
      const check = await github.check(payload.check_run);
      await answer(context, payload, await logText(metadata, name, id, check?.detailsUrl ?? null));
      return `log of ${id}`;
    }
    case 'reset': {
      const outcome = await reset(metadata, name, options.release);
      if (!outcome.done) {
        throw new RefusedError(
          `${outcome.reason} Comment \`/stop\` first and wait until no worker is left.`,
        );
      }
      if (outcome.left !== null) throw new RefusedError(outcome.left);
      return 'reset';
    }
    case 'launch':
    case 'status':
    case 'help':
      throw new RefusedError(`\`/${command.name}\` is no command for this job.`);
  }
}

/** Where there is something to do again and nobody to do it, another workflow run is asked for. */
async function wakeWorkers(
  context: GitHubContext,
  { metadata, plan, payload }: ControlOptions,
): Promise<void> {
  const { github } = context;
  const name = plan.settings.name;
  const { action } = effectiveAction(await metadata.actions());
  if (action !== 'RUN' || (await metadata.workers(name)) > 0) return;
  const counts = await metadata.counts(name);
  const of = (...statuses: readonly Status[]) =>
    statuses.reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
  if (payload.issue === null) return;
  const issue = await github.issue(payload.issue);
  const marker = issue === null ? null : readMarker(issue.body);
  if (issue === null || marker === null) return;
  const isReady = of('Pending', 'Running') > 0 || isLoadOpen(await metadata.pipelines(name));
  // Skipping the last one that was open ends the run: its pull request is to be made.
  const isDone = !isReady && of('Blocked', 'Failed') === 0 && marker.pull_request === null;
  if ((!isReady && !isDone) || (await isQueued(github, marker))) return;
  await dispatchRun(context, { issue, marker }, marker.leg + 1, 0);
}

/** The last workflow run that was asked for has not begun: it finds in the tables what there is to do. */
async function isQueued(github: GitHub, marker: MonitorMarker): Promise<boolean> {
  const check = marker.check_run === null ? null : await github.check(marker.check_run);
  if (check?.startedAt === null || check?.startedAt === undefined) return false;
  const runs = await github.dispatchedRuns(check.startedAt);
  const last = runs.find(({ title }) => {
    const named = parseWorkflowRunName(title);
    return named?.id === marker.run && named.leg === marker.leg;
  });
  return last?.status === 'queued';
}

/**
 * A launch means RUN, whatever an earlier run left; but not where somebody has said something else
 * since then.
 */
export async function beginAction(
  { github, clock }: GitHubContext,
  metadata: Metadata,
  plan: string,
  { check_run: check }: Pick<ControlPayload, 'check_run'>,
): Promise<void> {
  const known = await metadata.requests(plan);
  const launched =
    known.length === 0 ? null : ((await github.check(check))?.startedAt ?? clock.now());
  if (launched === null || laterAction(known, launched) === null) await metadata.setAction('RUN');
}
