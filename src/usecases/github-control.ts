/** Does in the metadata tables what a person asked for on GitHub, and answers there. */
import type { ControlPayload } from '../core/checkrun/launch.ts';
import { commandOfButton } from '../core/checkrun/buttons.ts';
import { boxId, readMarker } from '../core/checkrun/monitor.ts';
import { parseComment } from '../core/commands/parse.ts';
import type { Command } from '../core/commands/parse.ts';
import { effectiveAction } from '../core/lifecycle/action.ts';
import { isLoadOpen } from '../core/lifecycle/pipelines.ts';
import { selectProcedures } from '../core/lifecycle/select.ts';
import type { Status } from '../core/lifecycle/state.ts';
import type { Plan } from '../core/plan/types.ts';
import { markdownText } from '../core/report/markdown.ts';
import { fitMarkdown } from '../core/checkrun/fit.ts';
import { BODY } from '../core/checkrun/limits.ts';
import type { Metadata } from '../ports/metadata.ts';
import { decide, setAction } from './control.ts';
import { permissionOf, readSettings, RefusedError } from './github-context.ts';
import type { GitHubContext } from './github-context.ts';
import { dispatchRun } from './github-launch.ts';
import { logText } from './github-report.ts';
import { reset } from './reset.ts';

export interface ControlOptions {
  readonly metadata: Metadata;
  readonly plan: Plan;
  readonly payload: ControlPayload;
  /** Drops what the source keeps for the plan; null where it keeps nothing. */
  readonly release: (() => Promise<void>) | null;
}

/** Gives what was done, for the job's summary; null where it was done before. */
export async function control(
  context: GitHubContext,
  options: ControlOptions,
): Promise<string | null> {
  const { github } = context;
  const { payload } = options;
  const comment = payload.what.kind === 'comment' ? payload.what.comment : null;
  const place = payload.what.kind === 'comment' ? payload.what.issue : payload.issue;
  if (comment !== null) {
    const reactions = await github.ownReactions(comment);
    if (reactions.has('rocket') || reactions.has('confused')) return null;
  }
  try {
    const asked = await commandsOf(context, options);
    const done: string[] = [];
    for (const command of asked) {
      await mustBeAllowed(context, command, payload.person);
      done.push(await obey(context, options, command));
    }
    await wakeWorkers(context, options);
    if (comment !== null) await github.react(comment, 'rocket');
    return done.join('\n');
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    if (place !== null) await github.reply(place, fitMarkdown(error.message, BODY, '…'));
    if (comment !== null) await github.react(comment, 'confused');
    return error.message;
  }
}

/** What is asked for, read from where it was said: the payload has ids only. */
async function commandsOf(
  { github }: GitHubContext,
  { payload, metadata, plan }: ControlOptions,
): Promise<readonly Command[]> {
  const { what } = payload;
  if (what.kind === 'button') {
    const name = commandOfButton(what.identifier);
    if (name === null) throw new RefusedError(`There is no button \`${what.identifier}\`.`);
    return [{ name, procedures: [], reason: null }];
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
    return [parsed.command];
  }
  const ids = [...(await metadata.members(plan.settings.name)).keys()];
  const byBox = new Map(ids.map((id) => [boxId(id), id]));
  const named = (kind: 'retry' | 'skip') =>
    what.boxes.flatMap((box) => {
      const id = box.startsWith(`${kind}:`) ? byBox.get(box.slice(kind.length + 1)) : undefined;
      return id === undefined ? [] : [id];
    });
  return (['retry', 'skip'] as const)
    .map((name): Command => ({ name, procedures: named(name), reason: null }))
    .filter(({ procedures }) => procedures.length > 0);
}

async function mustBeAllowed(
  { github }: GitHubContext,
  command: Command,
  person: string,
): Promise<void> {
  const settings = await readSettings(github, await github.repository());
  const permission = await permissionOf(github, settings, command.name, person);
  if (!permission.allowed) throw new RefusedError(permission.message);
}

const ACTIONS = { pause: 'PAUSE', stop: 'STOP', resume: 'RUN' } as const;

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
      const where = payload.what.kind === 'comment' ? payload.what.issue : payload.issue;
      if (where !== null) await github.reply(where, await logText(metadata, name, id));
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
  const name = plan.settings.name;
  const { action } = effectiveAction(await metadata.actions());
  if (action !== 'RUN' || (await metadata.workers(name)) > 0) return;
  const counts = await metadata.counts(name);
  const of = (...statuses: readonly Status[]) =>
    statuses.reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
  if (payload.issue === null) return;
  const issue = await context.github.issue(payload.issue);
  const marker = issue === null ? null : readMarker(issue.body);
  if (issue === null || marker === null) return;
  const isReady = of('Pending', 'Running') > 0 || isLoadOpen(await metadata.pipelines(name));
  // Skipping the last one that was open ends the run: its pull request is to be made.
  const isDone = !isReady && of('Blocked', 'Failed') === 0 && marker.pull_request === null;
  if (!isReady && !isDone) return;
  await dispatchRun(context, { issue, marker }, marker.leg + 1, 0);
}
