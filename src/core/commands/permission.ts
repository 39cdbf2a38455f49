/** Who may do what, decided from what GitHub says at the moment of acting. */
import { levelWords, ruleFor } from './settings.ts';
import type { CommandSettings } from './settings.ts';
import { LEVELS } from './table.ts';
import type { CommandName, Level } from './table.ts';

/** What `GET /repos/{owner}/{repo}/collaborators/{user}/permission` says, and the person's teams. */
export interface Standing {
  /** Role as the repository names it; an organisation may have roles of its own. */
  readonly roleName: string;
  /** The built-in permission that the role comes down to: admin, write, read or none. */
  readonly permission: string;
  /** Those of the rule's teams that the person is an active member of. */
  readonly teams: readonly string[];
}

export type Permission =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly message: string };

export function decidePermission(
  settings: CommandSettings,
  name: CommandName,
  standing: Standing,
): Permission {
  const rule = ruleFor(settings, name);
  const has = levelOf(standing);
  const byLevel = rule.level !== null && has !== null && atLeast(has, rule.level);
  const byTeam = rule.teams.some((team) => standing.teams.includes(team));
  if (byLevel || byTeam) return { allowed: true };
  return {
    allowed: false,
    message:
      `\`/${name}\` needs ${levelWords(rule)} in this repository; you have ${has ?? 'no access'}. ` +
      'Ask somebody who has it, or somebody who administers the repository to change the role.',
  };
}

/** A role that an organisation made up counts as the built-in permission that it comes down to. */
function levelOf({ roleName, permission }: Standing): Level | null {
  return (
    LEVELS.find((each) => each === roleName) ?? LEVELS.find((each) => each === permission) ?? null
  );
}

function atLeast(has: Level, needed: Level): boolean {
  return LEVELS.indexOf(has) >= LEVELS.indexOf(needed);
}
