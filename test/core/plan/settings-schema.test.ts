import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsJsonSchema, settingsSchema } from '../../../src/core/plan/settings-schema.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(settingsJsonSchema());

const FULL = {
  sprocket: 1,
  name: 'p',
  source: { dialect: 'postgres', url: 'S' },
  target: { dialect: 'mysql', url: 'T', metadata_schema: 'wirekite' },
  sandbox: { url: 'B' },
  production: {
    repository: 'a/b',
    base: 'main',
    project: 'dbt',
    reviewers: ['octocat', 'acme/team'],
    labels: ['x'],
  },
  workers: 2,
  proof: { max_rows: 1, rows: 'source', parameters: { p: 1, q: 'a', r: null, s: true } },
  pipelines: { zero_dates: 'as_null' },
  data_tables: ['dw.log'],
  procedures: { 'dw.a()': { parameters: { p: 1 }, data_tables: ['dw.log'] } },
};

test('the published schema is the one in the code', () => {
  expect(read('schema/plan.schema.json')).toBe(
    `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`,
  );
});

test('the published schema takes a whole front matter, and describes every setting', () => {
  expect(validate(FULL) || validate.errors).toBe(true);
  const undescribed = (schema: unknown, path: string): string[] => {
    if (typeof schema !== 'object' || schema === null) return [];
    const {
      properties = {},
      additionalProperties,
      description,
    } = schema as {
      properties?: Record<string, unknown>;
      additionalProperties?: unknown;
      description?: string;
    };
    const children = {
      ...properties,
      ...(path.endsWith('parameters') ? {} : { '*': additionalProperties }),
    };
    return [
      ...(description === undefined ? [path] : []),
      ...Object.entries(children).flatMap(([key, child]) => undescribed(child, `${path}.${key}`)),
    ];
  };
  expect(undescribed(settingsJsonSchema(), '')).toEqual([]);
});

test('editors and Sprocket agree on what is valid', () => {
  const value = fc.oneof(
    fc.constantFrom('x', '', 'a/b', '../x', 0, 1, 300, null, true, [], ['x'], {}),
    fc.string(),
  );
  const paths = fc.constantFrom(
    'sprocket',
    'name',
    'source',
    'source.dialect',
    'source.url',
    'target.metadata_schema',
    'sandbox',
    'production',
    'production.repository',
    'production.base',
    'production.project',
    'production.reviewers',
    'production.labels',
    'workers',
    'proof',
    'proof.max_rows',
    'proof.parameters',
    'proof.parameters.p',
    'data_tables',
    'procedures',
    'unknown',
  );
  fc.assert(
    fc.property(paths, value, (path, replacement) => {
      const spoiled: unknown = structuredClone(FULL);
      const keys = path.split('.');
      let at = spoiled as Record<string, unknown>;
      for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
      at[keys.at(-1) ?? ''] = replacement;
      expect(validate(spoiled)).toBe(settingsSchema.safeParse(spoiled).success);
    }),
    { numRuns: 1000 },
  );
});

test('the documentation names every setting, and its examples are valid', () => {
  const page = read('docs/plan.md');
  const settings = (schema: unknown, path: string): string[] => {
    const { properties = {} } = schema as { properties?: Record<string, unknown> };
    return Object.entries(properties).flatMap(([key, child]) => [
      `\`${path}${key}\``,
      ...settings(child, `${path}${key}.`),
    ]);
  };
  const missing = settings(settingsJsonSchema(), '').filter((name) => !page.includes(name));
  expect(missing).toEqual([]);
  const examples = [...page.matchAll(/^```yaml\n(.*?)^```/gmsu)].map((match) => match[1] ?? '');
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(validate(parse(example)) || validate.errors).toBe(true);
});
