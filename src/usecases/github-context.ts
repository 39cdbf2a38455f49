/** What the use cases on GitHub share: where the plan is, and what the monitor issue remembers. */
import { fitMarkdown } from '../core/checkrun/fit.ts';
import { BODY } from '../core/checkrun/limits.ts';
import { readMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { DEFAULT_SETTINGS, parseSettings, SETTINGS_PATH } from '../core/commands/settings.ts';
import type { CommandSettings } from '../core/commands/settings.ts';
import { decidePermission } from '../core/commands/permission.ts';
import type { Permission } from '../core/commands/permission.ts';
import { ruleFor } from '../core/commands/settings.ts';
import type { CommandName } from '../core/commands/table.ts';
import type { Instant } from '../core/lifecycle/state.ts';
import type { Clock } from '../ports/clock.ts';
import { GitHubError } from '../ports/github.ts';
import type { GitHub, Issue, RepositoryFile } from '../ports/github.ts';

export interface GitHubContext {
  readonly github: GitHub;
  readonly clock: Clock;
}

/** Something that a person can mend; the message is Markdown. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

export const NO_RUN =
  'Nothing was launched in this repository yet. Comment `/launch`, or push a plan to the default branch.';

/** What to tell people; null where it is our own fault, or GitHub's. */
export function explain(error: unknown): string | null {
  if (error instanceof RefusedError) return error.message;
  if (error instanceof GitHubError && !['unavailable', 'rate-limited'].includes(error.code)) {
    return `${error.message} ${error.advice}`;
  }
  return null;
}

export interface ReplyPlace {
  readonly issue: number;
  /** What the reply is to. */
  readonly key: string;
  /** From when on it may be there already; null where it can't. */
  readonly since: Instant | null;
}

/** Replies, but not twice to the same: whoever was to reply may have died right after it. */
export async function replyOnce(github: GitHub, place: ReplyPlace, body: string): Promise<void> {
  const marker = `\n\n<!-- sprocket-reply ${place.key} -->`;
  if (place.since !== null) {
    const said = await github.ownReplies(place.issue, place.since);
    if (said.some((reply) => reply.endsWith(marker.trim()))) return;
  }
  const note = '… the rest has no room here.';
  await github.reply(place.issue, `${fitMarkdown(body, BODY - marker.length, note)}${marker}`);
}

const SETTINGS_FILE = { commit: 'HEAD', path: SETTINGS_PATH } as const;

/** `.github/sprocket.yml` of the default branch: a pull request can't give itself rights. */
export async function readSettings(github: GitHub): Promise<CommandSettings> {
  const [file = null] = await github.files([SETTINGS_FILE]);
  return settingsOf(file);
}

function settingsOf(file: RepositoryFile | null): CommandSettings {
  const parsed = parseSettings(file?.text ?? null);
  if (parsed.ok) return parsed.settings;
  const list = parsed.problems.map((problem) => `- ${problem}`).join('\n');
  throw new RefusedError(`\`${SETTINGS_PATH}\` on the default branch can't be used:\n${list}`);
}

export interface Plans {
  /** Where the plan is, as the settings of the default branch say. */
  readonly path: string;
  /** In the order of the commits that were asked for. */
  readonly files: readonly (RepositoryFile | null)[];
}

/** The plan of each commit: in one request where it is at its usual place. */
export async function readPlans(github: GitHub, commits: readonly string[]): Promise<Plans> {
  const at = (path: string) => commits.map((commit) => ({ commit, path }));
  const usual = DEFAULT_SETTINGS.plan;
  const [settings = null, ...files] = await github.files([SETTINGS_FILE, ...at(usual)]);
  const path = settingsOf(settings).plan;
  return { path, files: path === usual ? files : await github.files(at(path)) };
}

/** Asks GitHub, at this moment, whether a person may use a command. */
export async function permissionOf(
  github: GitHub,
  settings: CommandSettings,
  command: CommandName,
  person: string,
): Promise<Permission> {
  const standing = await github.standing(person, ruleFor(settings, command).teams);
  return decidePermission(settings, command, standing);
}

export interface Monitor {
  readonly issue: Issue;
  readonly marker: MonitorMarker;
}

/** The monitor issues, one per plan: of several for one plan the oldest that is open counts. */
export async function monitors(github: GitHub): Promise<readonly Monitor[]> {
  const found = new Map<string, Monitor>();
  for (const issue of await github.ownIssues()) {
    const marker = readMarker(issue.body);
    if (marker === null) continue;
    const known = found.get(marker.plan);
    const better = known === undefined || (known.issue.state !== 'open' && issue.state === 'open');
    if (better) found.set(marker.plan, { issue, marker });
  }
  return [...found.values()];
}

/** The run that a command in an issue is about: the issue's own, else the one that began last. */
export async function monitorFor(github: GitHub, issue: number | null): Promise<Monitor | null> {
  const all = await monitors(github);
  const own = all.find((each) => each.issue.number === issue);
  return own ?? all.findLast((each) => each.issue.state === 'open') ?? all.at(-1) ?? null;
}
