import { describe, expect, test } from 'vitest';
import { decidePermission } from '../../../src/core/commands/permission.ts';
import { DEFAULT_SETTINGS, parseSettings } from '../../../src/core/commands/settings.ts';

const standing = (roleName: string, permission = roleName, teams: readonly string[] = []) => ({
  roleName,
  permission,
  teams,
});

function settings(text: string) {
  const parsed = parseSettings(text);
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.settings;
}

describe('permission', () => {
  test.each([
    ['none', 'none', false],
    ['read', 'read', false],
    ['triage', 'read', false],
    ['write', 'write', true],
    ['maintain', 'write', true],
    ['admin', 'admin', true],
    ['release-manager', 'write', true],
    ['auditor', 'read', false],
  ])('%s (%s) with the defaults: %s', (role, permission, allowed) => {
    const decided = decidePermission(DEFAULT_SETTINGS, 'pause', standing(role, permission));
    expect(decided.allowed).toBe(allowed);
  });

  test('a command has its own level, a team of its own goes past it', () => {
    const rules = settings(
      'commands:\n  reset: admin\n  launch: { permission: maintain, teams: [data] }\n  skip: { teams: [data] }\n',
    );
    expect(decidePermission(rules, 'reset', standing('write')).allowed).toBe(false);
    expect(decidePermission(rules, 'pause', standing('write')).allowed).toBe(true);
    expect(decidePermission(rules, 'launch', standing('write')).allowed).toBe(false);
    expect(decidePermission(rules, 'launch', standing('read', 'read', ['data'])).allowed).toBe(
      true,
    );
    expect(decidePermission(rules, 'skip', standing('admin')).allowed).toBe(false);
    expect(decidePermission(rules, 'skip', standing('none', 'none', ['data'])).allowed).toBe(true);
  });

  test('a refusal says what is needed and what to do', () => {
    const decided = decidePermission(DEFAULT_SETTINGS, 'stop', standing('read'));
    expect(decided).toEqual({
      allowed: false,
      message:
        '`/stop` needs write in this repository; you have read. Ask somebody who has it, or somebody who administers the repository to change the role.',
    });
  });
});

describe('.github/sprocket.yml', () => {
  test('is optional', () => {
    expect(parseSettings(null)).toEqual({ ok: true, settings: DEFAULT_SETTINGS });
    expect(parseSettings(' \n')).toEqual({ ok: true, settings: DEFAULT_SETTINGS });
  });

  test.each([
    ['plan: ../plan.md', 'plan: write the path'],
    ['plan: /etc/plan.md', 'plan: write the path'],
    ['commands: { launhc: write }', 'the name is no command'],
    ['commands: { launch: owner }', 'commands.launch: write one of'],
    ['colour: red', 'Unrecognized key'],
    ['a: [', 'Flow sequence'],
    ['- 1', 'the file:'],
  ])('%s is refused with its reason', (text, message) => {
    const parsed = parseSettings(text);
    expect(parsed.ok ? '' : parsed.problems.join('\n')).toContain(message);
  });
});
