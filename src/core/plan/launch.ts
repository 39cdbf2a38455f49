/** Whether a plan that reads well can be launched here and now. */
import type { Plan, PlanProblem } from './types.ts';

/**
 * What keeps a valid plan from being launched. `environment` holds the names of the environment
 * variables that are set and not empty; values are of no interest here.
 */
export function launchProblems(
  plan: Plan,
  environment: ReadonlySet<string>,
): readonly PlanProblem[] {
  return [...includeProblems(plan), ...variableProblems(plan, environment)];
}

function includeProblems(plan: Plan): PlanProblem[] {
  if ([...plan.procedures, ...plan.pipelines].some(({ include }) => include)) return [];
  const first = plan.procedures[0] ?? plan.pipelines[0];
  const message =
    first === undefined
      ? 'The tables Procedures and Pipelines have no rows. Add what is to be migrated; "sprocket plan" drafts it from the source.'
      : 'No procedure and no pipeline is included. Write yes in the column Include of those to migrate.';
  const { line, column } = first?.position ?? { line: 1, column: 1 };
  return [{ line, column, code: 'nothing-included', message }];
}

function variableProblems(plan: Plan, environment: ReadonlySet<string>): PlanProblem[] {
  const { source, target, sandbox } = plan.settings;
  const settings = [
    { path: 'source.url', variable: source.urlVariable },
    { path: 'target.url', variable: target.urlVariable },
    ...(sandbox === null ? [] : [{ path: 'sandbox.url', variable: sandbox.urlVariable }]),
  ];
  return settings
    .filter(({ variable }) => !environment.has(variable))
    .map(({ path, variable }) => ({
      ...(plan.positions.get(path) ?? { line: 1, column: 1 }),
      code: 'variable-empty',
      message: `The environment variable ${variable} (${path}) is not set or is empty. Give it the connection URL: on GitHub as a secret of that name that the workflow passes on, on the command line with export ${variable}=….`,
    }));
}
