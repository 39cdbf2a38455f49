import { expect, test } from 'vitest';
import { problemsOf as problems } from './problems-of.ts';
import { PROCEDURES_TABLE } from './sample.ts';

function settings(...lines: string[]): string[] {
  return problems(`---\n${lines.join('\n')}\n---\n${PROCEDURES_TABLE}`);
}

test.each([
  [
    '',
    '1:1 front-matter-missing A plan starts with its settings. Write --- as the first line, the settings as YAML beneath, and --- again.',
  ],
  [
    '\n---\nsprocket: 1\n---\n',
    '1:1 front-matter-missing A plan starts with its settings. Write --- as the first line, the settings as YAML beneath, and --- again.',
  ],
  [
    '---\nsprocket: 1\n',
    '1:1 front-matter-missing The settings have no end. Close them with a second line of three dashes (---).',
  ],
])('%j lacks its front matter', (text, expected) => {
  expect(problems(text)[0]).toBe(expected);
});

test.each([
  [
    'a: [1, 2',
    '2:8 yaml-syntax A bracket before this place is not closed, or the line is indented differently from its neighbours. Close the bracket, or use two spaces per level.',
  ],
  ['a: "x', '2:5 yaml-syntax A colon, comma, quote or closing bracket is missing here. Add it.'],
  [
    'a: 1\n  b: 2',
    '2:4 yaml-syntax Write one "key: value" per line, or { key: value, key: value } within one line.',
  ],
  ['a:\n\tb: 1', '3:1 yaml-syntax A tab can not indent YAML. Use two spaces per level.'],
  ['a: @x', '2:4 yaml-syntax A value can not start with this character. Put the value in quotes.'],
  ['name: a\nname: b', '3:1 yaml-syntax This key is there twice. Delete one of them.'],
  ['a: *x', '2:4 yaml-syntax Anchors and aliases are not taken. Write the value out.'],
  ['a: !secret x', '2:4 yaml-syntax Tags (!) are not taken. Write the value without.'],
  [
    'a: "\\q"',
    '2:5 yaml-syntax YAML knows no such escape. Write the text in single quotes, or double the backslash.',
  ],
  [
    '[a, b]: 1',
    '2:1 yaml-syntax A key is a word. Put it in quotes, or check the brackets before it.',
  ],
])('%j is not YAML', (yaml, expected) => {
  expect(settings(yaml)).toEqual([expected]);
});

test('a table is checked even where the settings are not YAML', () => {
  const text = `---\na: [\n---\n${PROCEDURES_TABLE.replace('yes', 'ja')}`;
  expect(problems(text).map((problem) => problem.split(' ')[1])).toEqual([
    'yaml-syntax',
    'include-invalid',
  ]);
});

const BASE = [
  'sprocket: 1',
  'name: p',
  'source: { dialect: postgres, url: S }',
  'target: { dialect: postgres, url: T }',
];

test('missing settings are named, with what to write', () => {
  expect(settings('sprocket: 1', 'source:', 'target: { dialect: postgres }')).toEqual([
    '1:1 setting-missing The setting name is missing. Write 1 to 63 lower case letters, digits, - and _, a letter or digit at both ends, for example sales-warehouse.',
    '3:8 setting-missing The setting source is missing. Write source: { dialect: postgres, url: SOURCE_DATABASE_URL }.',
    '4:1 setting-missing The setting target.url is missing. Write the NAME of the environment variable that holds the URL, for example TARGET_DATABASE_URL.',
  ]);
  expect(settings('').at(0)).toBe(
    '1:1 setting-missing The front matter is missing. Write the settings as "key: value" lines.',
  );
});

test.each([
  ['name: "../x"', 'name'],
  ['name: -x', 'name'],
  ['name: x.lock', 'name'],
  ['name: [x]', 'name'],
  ['name: 2024', 'name'],
  [`name: ${'x'.repeat(64)}`, 'name'],
  ['workers: 0', 'workers'],
  ['workers: 257', 'workers'],
  ['workers: 1.5', 'workers'],
  ['workers: four', 'workers'],
  ['proof: { max_rows: 0 }', 'proof.max_rows'],
  ['pipelines: { zero_dates: null }', 'pipelines.zero_dates'],
  ['proof: { parameters: { p: [1] } }', 'proof.parameters.p'],
  ['production: { repository: https://github.com/acme/analytics }', 'production.repository'],
  ['production: { repository: acme/.. }', 'production.repository'],
  ['production: { project: ../other }', 'production.project'],
  ['production: { project: a/../../b }', 'production.project'],
  ['production: { project: /etc }', 'production.project'],
  ['production: { project: a/.git/hooks }', 'production.project'],
  ['production: { base: "a b" }', 'production.base'],
  ['production: { base: a..b }', 'production.base'],
  ['production: { reviewers: octocat }', 'production.reviewers'],
  ['production: { reviewers: ["@octocat"] }', 'production.reviewers.0'],
  ['production: { labels: [""] }', 'production.labels.0'],
  ['sandbox: S', 'sandbox'],
  ['sandbox: { url: "$SANDBOX" }', 'sandbox.url'],
  ['sandbox: { url: "${{ secrets.SANDBOX }}" }', 'sandbox.url'],
  ['data_tables: dw.log', 'data_tables'],
  ['procedures: [dw.load()]', 'procedures'],
])('%s is refused', (line, path) => {
  const others = BASE.filter((base) => !base.startsWith(line.slice(0, 5)));
  const found = settings(...others, line);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(
    new RegExp(
      `^${others.length + 2}:\\d+ setting-\\w+ The setting ${path.replaceAll('.', '\\.')} .*Write `,
      'u',
    ),
  );
});

test.each([
  ['production: { repository: a-b/c.d_e-f, base: release/1.x, project: . }'],
  ['production: { reviewers: [octocat, acme/data-team], labels: [migration, "good: label"] }'],
  ['production: { project: "dbt/my project" }'],
  ['workers: 256'],
  ['proof:\n  max_rows: 1'],
])('%s is taken', (line) => {
  expect(settings(...BASE, line)).toEqual([]);
});

test.each([
  ['url', 'source: { dialect: postgres, url: "postgresql://app:hunter2@db/x" }'],
  ['url', 'source: { dialect: postgres, url: "host=db user=app password=hunter2" }'],
  ['url', 'source: { dialect: postgres, url: app:hunter2@db }'],
  ['name', 'name: postgres://app:hunter2@db/x'],
  ['key', 'postgres://app:hunter2@db/x: 1'],
  ['path', 'procedures: { "postgres://app:hunter2@db/x()": {} }'],
  ['syntax', 'source: { url: "postgres://app:hunter2@db/x }'],
  ['parameter', "proof: { parameters: { p: 'postgres://app:hunter2@db -- x' } }"],
])('a secret as %s is never repeated', (_, line) => {
  const others = BASE.filter((base) => !base.startsWith(line.slice(0, 4)));
  const found = settings(...others, line);
  expect(found).not.toEqual([]);
  expect(found.join('\n')).not.toMatch(/hunter2|db\/x/u);
});

test('values in the front matter are checked like those in cells', () => {
  const lines = [
    ...BASE,
    'proof: { parameters: { p_day: 2024-01-31 } }',
    'data_tables: [dw.ok, log]',
    'procedures:',
    '  dw.lod(): {}',
    '  dw.load(): { parameters: { p: "f(" }, data_tables: [x] }',
    '  load: {}',
  ];
  expect(settings(...lines)).toEqual([
    `6:22 argument-invalid "2024-01-31" as the value of "p_day" is a subtraction in SQL. Write date '2024-01-31'.`,
    '7:22 name-invalid "log" is no name of a table. Write schema.table.',
    '9:13 procedure-unknown "dw.lod()" is not in the table Procedures. Did you mean dw.load()?',
    '10:28 argument-invalid "f(" as the value of "p" has a quote or parenthesis without its partner. Close it.',
    '10:54 name-invalid "x" is no name of a table. Write schema.table.',
    '11:9 name-invalid "load" is no name of a procedure. Write schema.name(argument types).',
  ]);
});
