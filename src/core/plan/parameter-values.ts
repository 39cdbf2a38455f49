/** Which value each parameter of a procedure gets from a plan. */
import type { PlannedProcedure, PlanSettings } from './types.ts';

export interface ParameterValues {
  /** SQL expressions by parameter name; parameters without a value are left to their DEFAULT. */
  readonly values: Readonly<Record<string, string>>;
  /** Parameters without value and without DEFAULT. */
  readonly missing: readonly string[];
  /** Values for parameters that the procedure doesn't have, as the plan writes them. */
  readonly unknown: readonly string[];
}

/**
 * Takes the procedure's own arguments, by place or by name, then `proof.parameters` by name.
 * `parameters` are those that a caller passes, in order.
 */
export function parameterValues(
  procedure: Pick<PlannedProcedure, 'arguments'>,
  settings: Pick<PlanSettings, 'proof'>,
  parameters: readonly { readonly name: string; readonly defaultSql: string | null }[],
): ParameterValues {
  const values = new Map<string, string>();
  const unknown: string[] = [];
  for (const { name } of parameters) {
    const shared = settings.proof.parameters[name];
    if (shared !== undefined) values.set(name, shared);
  }
  for (const [index, { parameter, sql }] of procedure.arguments.entries()) {
    const name = parameter ?? parameters[index]?.name;
    if (name !== undefined && parameters.some((known) => known.name === name))
      values.set(name, sql);
    else unknown.push(parameter ?? sql);
  }
  const missing = parameters
    .filter(({ name, defaultSql }) => defaultSql === null && !values.has(name))
    .map(({ name }) => name);
  return { values: Object.fromEntries(values), missing, unknown };
}
