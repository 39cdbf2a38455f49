/** `.github/sprocket.yml` on the default branch: where the plan is, and who may use which command. */
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { DEFAULT_LEVEL, isCommandName, LEVELS } from './table.ts';
import type { CommandName, Level } from './table.ts';

export const SETTINGS_PATH = '.github/sprocket.yml';

export interface CommandRule {
  /** Least role in the repository; null: only the teams count. */
  readonly level: Level | null;
  /** Members of any of these may, whatever their role. Slugs of teams of the owner. */
  readonly teams: readonly string[];
}

export interface CommandSettings {
  /** Path of the plan from the repository's root. */
  readonly plan: string;
  readonly default: CommandRule;
  readonly rules: ReadonlyMap<CommandName, CommandRule>;
}

export type ParsedSettings =
  | { readonly ok: true; readonly settings: CommandSettings }
  | { readonly ok: false; readonly problems: readonly string[] };

export const DEFAULT_SETTINGS: CommandSettings = {
  plan: 'plan.md',
  default: { level: DEFAULT_LEVEL, teams: [] },
  rules: new Map(),
};

const LEVEL_ADVICE = `write one of ${LEVELS.join(', ')}, or { permission: …, teams: [slug] }`;
const level = z.enum(LEVELS, { error: LEVEL_ADVICE });
const rule = z.union(
  [
    level,
    z.strictObject({
      permission: level.optional(),
      teams: z.array(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,99}$/u)).default([]),
    }),
  ],
  { error: LEVEL_ADVICE },
);

const schema = z.strictObject({
  plan: z
    .string()
    .regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._/-]{1,200}\.md$/u, {
      error: 'write the path of a .md file from the root of the repository',
    })
    .default(DEFAULT_SETTINGS.plan),
  commands: z
    .record(z.string(), rule, { error: 'write one "command: permission" per line' })
    .default({}),
});

/** Reads the file; null (there is none) gives the defaults. */
export function parseSettings(text: string | null): ParsedSettings {
  if (text === null || text.trim() === '') return { ok: true, settings: DEFAULT_SETTINGS };
  const document = parseDocument(text, { version: '1.2' });
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map(({ message }) => message) };
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 10 }) ?? {});
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? 'the file' : path.join('.')}: ${message}`,
    );
    return { ok: false, problems };
  }
  const { plan, commands } = parsed.data;
  const rules = new Map<CommandName, CommandRule>();
  const problems: string[] = [];
  let fallback = DEFAULT_SETTINGS.default;
  for (const [name, written] of Object.entries(commands)) {
    if (name === 'default') fallback = ruleOf(written);
    else if (isCommandName(name)) rules.set(name, ruleOf(written));
    else problems.push(`commands.${name}: the name is no command, nor "default"`);
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, settings: { plan, default: fallback, rules } };
}

export function ruleFor(settings: CommandSettings, name: CommandName): CommandRule {
  return settings.rules.get(name) ?? settings.default;
}

/** `write`, `write, or the team migrators`. */
export function levelWords({ level: least, teams }: CommandRule): string {
  const names = teams.join(', ');
  if (teams.length === 0) return least ?? 'nobody';
  const group = `the ${teams.length === 1 ? 'team' : 'teams'} ${names}`;
  return least === null ? group : `${least}, or ${group}`;
}

function ruleOf(written: z.output<typeof rule>): CommandRule {
  if (typeof written === 'string') return { level: written, teams: [] };
  const { permission, teams } = written;
  return {
    level: permission ?? (teams.length === 0 ? DEFAULT_LEVEL : null),
    teams,
  };
}
