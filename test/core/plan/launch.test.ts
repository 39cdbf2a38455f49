import { expect, test } from 'vitest';
import { launchProblems } from '../../../src/core/plan/launch.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { SAMPLE } from './sample.ts';

const ALL = new Set(['SOURCE_DATABASE_URL', 'TARGET_DATABASE_URL', 'SANDBOX_DATABASE_URL']);

function launch(text: string, environment: ReadonlySet<string>): string[] {
  const { plan } = parsePlan(text);
  if (plan === null) throw new Error('the plan does not read');
  return launchProblems(plan, environment).map(
    ({ line, column, code, message }) => `${line}:${column} ${code} ${message}`,
  );
}

test('a plan whose variables are set and that includes a procedure can be launched', () => {
  expect(launch(SAMPLE, ALL)).toEqual([]);
});

test('variables that are not set are named at their settings', () => {
  const message = (variable: string, path: string) =>
    `The environment variable ${variable} (${path}) is not set or is empty. Give it the connection URL: on GitHub as a secret of that name that the workflow passes on, on the command line with export ${variable}=….`;
  expect(launch(SAMPLE, new Set(['TARGET_DATABASE_URL']))).toEqual([
    `4:36 variable-empty ${message('SOURCE_DATABASE_URL', 'source.url')}`,
    `6:17 variable-empty ${message('SANDBOX_DATABASE_URL', 'sandbox.url')}`,
  ]);
  expect(
    launch(
      SAMPLE.replace(/^sandbox.*\n/mu, ''),
      new Set(['SOURCE_DATABASE_URL', 'TARGET_DATABASE_URL']),
    ),
  ).toEqual([]);
});

test('a plan that includes nothing is refused', () => {
  const text = SAMPLE.replaceAll('| yes |', '| no |');
  expect(launch(text, ALL)).toEqual([
    '27:1 nothing-included No procedure and no pipeline is included. Write yes in the column Include of those to migrate.',
  ]);
  const empty = text.replaceAll(/^\| no \|.*\n/gimu, '');
  expect(launch(empty, ALL)).toEqual([
    '1:1 nothing-included The tables Procedures and Pipelines have no rows. Add what is to be migrated; "sprocket plan" drafts it from the source.',
  ]);
});

test('a plan that only moves tables can be launched', () => {
  expect(launch(SAMPLE.replaceAll('| yes | dw.', '| no | dw.'), ALL)).toEqual([]);
});
