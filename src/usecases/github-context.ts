/** What the use cases on GitHub share: where the plan is, and what the monitor issue remembers. */
import { readMarker } from '../core/checkrun/monitor.ts';
import type { MonitorMarker } from '../core/checkrun/monitor.ts';
import { parseSettings, SETTINGS_PATH } from '../core/commands/settings.ts';
import type { CommandSettings } from '../core/commands/settings.ts';
import { decidePermission } from '../core/commands/permission.ts';
import type { Permission } from '../core/commands/permission.ts';
import { ruleFor } from '../core/commands/settings.ts';
import type { CommandName } from '../core/commands/table.ts';
import type { Clock } from '../ports/clock.ts';
import type { GitHub, Issue, RepositoryFacts } from '../ports/github.ts';

export interface GitHubContext {
  readonly github: GitHub;
  readonly clock: Clock;
}

/** Something that a person can mend; the message is Markdown. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** `.github/sprocket.yml` of the default branch: a pull request can't give itself rights. */
export async function readSettings(
  github: GitHub,
  { defaultBranch }: RepositoryFacts,
): Promise<CommandSettings> {
  const file = await github.file(defaultBranch, SETTINGS_PATH);
  const parsed = parseSettings(file?.text ?? null);
  if (parsed.ok) return parsed.settings;
  const list = parsed.problems.map((problem) => `- ${problem}`).join('\n');
  throw new RefusedError(`\`${SETTINGS_PATH}\` on the default branch can't be used:\n${list}`);
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

/** The open monitor issues, one per plan: of several for one plan the oldest counts. */
export async function monitors(github: GitHub): Promise<readonly Monitor[]> {
  const found = new Map<string, Monitor>();
  for (const issue of await github.ownIssues()) {
    const marker = readMarker(issue.body);
    if (marker !== null && !found.has(marker.plan)) found.set(marker.plan, { issue, marker });
  }
  return [...found.values()];
}

/** The run that a command in an issue is about: the issue's own, else the one that began last. */
export async function monitorFor(github: GitHub, issue: number | null): Promise<Monitor | null> {
  const all = await monitors(github);
  return all.find((each) => each.issue.number === issue) ?? all.at(-1) ?? null;
}
