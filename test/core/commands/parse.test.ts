import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCommentEvent } from '../../../src/core/commands/comment.ts';
import { helpText } from '../../../src/core/commands/help.ts';
import { parseComment, usageOf } from '../../../src/core/commands/parse.ts';
import { DEFAULT_SETTINGS } from '../../../src/core/commands/settings.ts';
import { COMMANDS } from '../../../src/core/commands/table.ts';

const command = (body: string) => {
  const parsed = parseComment(body);
  return parsed.kind === 'command' ? parsed.command : parsed;
};

describe('the first line of a comment', () => {
  test('is a command with its arguments', () => {
    expect(command('/retry dw.load_a() dw.load_b(integer, text)\nthanks')).toEqual({
      name: 'retry',
      procedures: ['dw.load_a()', 'dw.load_b(integer, text)'],
      reason: null,
    });
    expect(command('\r\n  /PAUSE  the source is under maintenance ')).toEqual({
      name: 'pause',
      procedures: [],
      reason: 'the source is under maintenance',
    });
    expect(command('/accept `dw.load_x()` the order, of ties, does not matter')).toEqual({
      name: 'accept',
      procedures: ['dw.load_x()'],
      reason: 'the order, of ties, does not matter',
    });
    expect(command('/skip "my schema"."load (it)"(), dw.b')).toEqual({
      name: 'skip',
      procedures: ['"my schema"."load (it)"()', 'dw.b'],
      reason: null,
    });
  });

  test.each([
    ['a quote', '> /pause'],
    ['a block of code', '```\n/pause\n```'],
    ['an indented block of code', '    /pause'],
    ['a tab', '\t/pause'],
    ['a list', '- /pause'],
    ['inline code', '`/pause`'],
    ['a later line', 'please\n/pause'],
    ['a path', '/etc/passwd is gone'],
    ['a fraction', '/2'],
    ['an HTML comment', '<!-- \n/pause -->'],
    ['nothing', ''],
  ])('%s is ordinary talk', (_what, body) => {
    expect(parseComment(body)).toEqual({ kind: 'none' });
  });

  test('an unknown word comes back with the nearest command', () => {
    expect(parseComment('/lunch')).toEqual({ kind: 'unknown', word: 'lunch', nearest: 'launch' });
    expect(parseComment('/assign @me')).toEqual({
      kind: 'unknown',
      word: 'assign',
      nearest: null,
    });
  });

  test.each([
    ['/skip', 'needs a procedure'],
    ['/log a b', 'one procedure'],
    ['/accept dw.a()', 'the reason'],
    ['/status now', 'Nothing comes behind it'],
    ['/skip dw.a(integer', '`)` is missing'],
    ['/skip `dw.a', '`backtick` is missing'],
  ])('%s says what is missing', (body, message) => {
    const parsed = parseComment(body);
    expect(parsed.kind).toBe('malformed');
    expect(parsed.kind === 'malformed' ? parsed.message : '').toContain(message);
  });

  test('any text is read without an error, and only its first line counts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const whole = parseComment(`/retry ${text}`);
        expect(whole).toEqual(parseComment(`/retry ${text.split(/\r\n|\r|\n/u)[0] ?? ''}`));
        expect(['command', 'malformed']).toContain(whole.kind);
      }),
    );
  });

  test('a line separator of Unicode does not hide a command', () => {
    expect(command('/pause first\u2028second')).toMatchObject({ name: 'pause' });
  });

  test('names that the plan writes come through as they are', () => {
    const part = fc.stringMatching(/^[a-z_][a-z0-9_$]{0,20}$/u);
    const types = fc.array(fc.constantFrom('integer', 'text', 'numeric(10, 2)', 'date'), {
      maxLength: 3,
    });
    const name = fc.tuple(part, part, types).map(([s, n, t]) => `${s}.${n}(${t.join(', ')})`);
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
        expect(command(`/skip ${names.join(' ')}`)).toMatchObject({ procedures: names });
      }),
    );
  });
});

describe('the event of a comment', () => {
  const event = { action: 'created', body: '/pause', authorType: 'User', throughApp: null };

  test('counts when a person wrote it', () => {
    expect(readCommentEvent(event).kind).toBe('command');
  });

  test.each([
    ['edited', { action: 'edited' }],
    ['deleted', { action: 'deleted' }],
    ['by a bot', { authorType: 'Bot' }],
    ['by an app in a name', { throughApp: 'some-app' }],
  ])('does not count when %s', (_what, change) => {
    expect(readCommentEvent({ ...event, ...change })).toEqual({ kind: 'none' });
  });
});

test('the help names every command as the parser takes it', () => {
  const help = helpText(DEFAULT_SETTINGS);
  for (const { name } of COMMANDS) {
    expect(help).toContain(`\`${usageOf(name)}\``);
    expect(parseComment(`/${name} dw.a() because`).kind).not.toBe('unknown');
  }
});

test('the page of commands says what the table says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/github/commands.md'), 'utf8');
  for (const { name, help } of COMMANDS) {
    expect(page).toContain(`| \`${usageOf(name)}\` | ${help} |`);
  }
});
