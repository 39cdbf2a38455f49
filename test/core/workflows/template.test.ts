import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseWorkflowRunName, workflowRunName } from '../../../src/core/checkrun/launch.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { planProblems } from '../../../src/core/checkrun/plan-check.ts';
import { INPUTS, OUTPUTS } from '../../../action/inputs.ts';
import { workflowProblems } from '../../../scripts/check-workflows.ts';
import { shellProblems, unpinnedUses } from '../../../src/core/workflows/shell.ts';
import {
  planNameOf,
  planSkeleton,
  SECRETS,
  workflowText,
} from '../../../src/core/workflows/template.ts';

const OPTIONS = {
  action: `acme/sprocket@${'a'.repeat(40)}`,
  version: 'v1.0.0',
  secrets: SECRETS,
};
const WITH_KEY = workflowText({ ...OPTIONS, appUrl: null });
const WITH_APP = workflowText({ ...OPTIONS, appUrl: 'https://sprocket.example' });
const FOLDER = join(import.meta.dirname, '../../../.github/workflows');
const WORKFLOWS: readonly (readonly [string, string])[] = [
  ['the template with a key', WITH_KEY],
  ['the template with the address of the App', WITH_APP],
  ...readdirSync(FOLDER).map((name): [string, string] => [
    name,
    readFileSync(join(FOLDER, name), 'utf8'),
  ]),
];
const stepSchema = z.object({
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
  env: z.record(z.string(), z.string()).default({}),
});
const jobSchema = z.object({
  permissions: z.record(z.string(), z.string()),
  if: z.string().default(''),
  steps: z.array(stepSchema),
});
const workflowSchema = z.object({
  permissions: z.unknown(),
  concurrency: z.object({ queue: z.string().optional() }),
  jobs: z.record(z.string(), jobSchema),
});

describe.each(WORKFLOWS)('%s', (_name, text) => {
  test('is well formed, hands no text of strangers to a shell, and pins what it uses', async () => {
    expect(await workflowProblems(text, '.github/workflows/x.yml')).toEqual([]);
  });

  test('gives nothing by default, and the least to each job', () => {
    const workflow = workflowSchema.parse(parse(text));
    expect(workflow.permissions).toEqual({});
  });

  test('throws no pending run away, but for checks of what was pushed over', () => {
    const { queue } = workflowSchema.parse(parse(text)).concurrency;
    expect(queue).toBe(text.startsWith('name: CI') ? undefined : 'max');
  });
});

describe.each([
  ['a key', WITH_KEY, {}, ['app-id', 'private-key']],
  ['the address of the App', WITH_APP, { 'id-token': 'write' }, ['app-url']],
] as const)('the template with %s', (_what, text, permissions, acting) => {
  const { jobs } = workflowSchema.parse(parse(text));
  const steps = Object.values(jobs)
    .flatMap((job) => job.steps)
    .filter(({ uses }) => uses?.startsWith('acme/sprocket@'));

  test('gives the Action what it takes, and asks it for what it gives', () => {
    expect(steps.map((step) => step.with['command'])).toEqual([
      'plan',
      'work',
      'finish',
      'control',
      'scope',
    ]);
    for (const step of steps) {
      const names = Object.keys(step.with);
      expect(Object.keys(INPUTS)).toEqual(expect.arrayContaining(names));
      expect(names.filter((name) => /^app-|key/u.test(name))).toEqual(acting);
    }
    const tables = steps.filter(
      (step) => step.with['tables'] === '${{ needs.plan.outputs.tables }}',
    );
    expect(tables.map((step) => step.with['command'])).toEqual(['work', 'finish']);
    const outputs = [...text.matchAll(/steps\.sprocket\.outputs\.([\w-]+)/gu)];
    for (const [, name = ''] of outputs) expect(Object.keys(OUTPUTS)).toContain(name);
  });

  test('gives each job the least, and no key to a job that has none', () => {
    for (const job of Object.values(jobs)) expect(job.permissions).toEqual(permissions);
    expect(text.includes('PRIVATE_KEY')).toBe(
      (acting as readonly string[]).includes('private-key'),
    );
  });

  test('goes no further where a person cancelled', () => {
    expect(text).not.toContain('always()');
    expect(jobs['finish']?.if).toContain('!cancelled()');
  });

  test('keeps the sandbox to the machine, and has no password that would be masked everywhere', () => {
    expect(text).toContain('"127.0.0.1:5432:5432"');
    for (const { env } of steps) {
      expect(new URL(env['SANDBOX_DATABASE_URL'] ?? '').password).toBe('');
    }
  });
});

describe('text in a shell', () => {
  test.each([
    ['${{ github.event.client_payload.run }}', 1],
    ['${{ github.event.comment.body }}', 1],
    ["${{ format('{0}', inputs.name) }}", 1],
    ['${{ steps.x.outputs.y }}', 1],
    ['${{ github.head_ref }}', 1],
    ['${{ github.sha }} ${{ matrix.worker }}', 0],
  ])('%s: %i problems', (expression, count) => {
    const text = `jobs:\n  a:\n    steps:\n      - run: echo ${expression}\n      - uses: x/y@v1\n        with: { script: "f(${expression.replaceAll("'", "''")})" }\n`;
    expect(shellProblems(text).length).toBe(count * 2);
    expect(unpinnedUses(text)).toEqual(['x/y@v1']);
  });
});

test('the name of a workflow run is read back', () => {
  const id = '11111111-2222-8333-8444-555555555555';
  expect(parseWorkflowRunName(workflowRunName(id, 3))).toEqual({ id, leg: 3 });
  expect(parseWorkflowRunName(workflowRunName(id, null))).toEqual({ id, leg: null });
  expect(parseWorkflowRunName('Sprocket schedule')).toBeNull();
});

test('the first plan reads well, and asks for procedures', () => {
  const parsed = parsePlan(planSkeleton(planNameOf('Acme.Migration_')));
  expect(parsed.problems).toEqual([]);
  expect(parsed.plan?.settings.name).toBe('acme-migration');
  expect(planProblems(parsed).map(({ code }) => code)).toEqual(['nothing-included']);
});
