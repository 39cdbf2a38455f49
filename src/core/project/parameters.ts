/** Parameters of procedures as dbt variables that hold SQL expressions. */
import type { Translation } from '../translate/types.ts';
import { jinjaString } from './jinja.ts';
import { joinNames, NameRegistry, routineName, safeName } from './names.ts';
import type { ProjectOptions } from './types.ts';

export interface ProjectVariable {
  readonly name: string;
  readonly routine: string;
  readonly parameter: string;
  /** SQL expression; null where whoever runs dbt must give one. */
  readonly value: string | null;
}

/** A Jinja call of `var` with the name of a parameter, as translated branch conditions hold them. */
const VAR_CALL = /\bvar\(\s*(?:'([^']*)'|"([^"]*)")/gu;

export class Parameters {
  readonly variables: readonly ProjectVariable[];
  readonly #byParameter: ReadonlyMap<string, ProjectVariable>;

  constructor(translations: readonly Translation[], options: ProjectOptions) {
    const owners = new Map<string, number>();
    for (const { parameters } of translations) {
      for (const { name } of parameters) {
        owners.set(safeName(name), (owners.get(safeName(name)) ?? 0) + 1);
      }
    }
    const taken = options.existing?.variables ?? {};
    const names = new NameRegistry();
    this.variables = translations.flatMap(({ routine, parameters }) =>
      parameters.map((parameter): ProjectVariable => {
        const short = safeName(parameter.name);
        const long = joinNames(routineName(routine), short);
        const value = options.parameters[routine]?.[parameter.name] ?? parameter.defaultSql;
        const clash = short in taken && taken[short] !== value;
        const shared = (owners.get(short) ?? 0) > 1;
        const name = names.claim(shared || clash ? [long] : [short, long]);
        return { name, routine, parameter: parameter.name, value };
      }),
    );
    this.#byParameter = new Map(
      this.variables.map((variable) => [`${variable.routine} ${variable.parameter}`, variable]),
    );
  }

  /** The Jinja expression that gives a parameter's SQL expression. */
  expression(routine: string, parameter: string): string {
    const variable = this.#byParameter.get(`${routine} ${parameter}`);
    if (variable === undefined) return `var(${jinjaString(safeName(parameter))})`;
    const name = jinjaString(variable.name);
    return variable.value === null ? `sprocket_required_var(${name})` : `var(${name})`;
  }

  /** Values of some of a routine's parameters, by variable. */
  values(
    routine: string,
    values: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(values).flatMap(([parameter, value]) => {
        const variable = this.#byParameter.get(`${routine} ${parameter}`);
        return variable === undefined ? [] : [[variable.name, value]];
      }),
    );
  }

  /** A branch condition with the variables' names in place of the parameters'. */
  condition(routine: string, condition: string): string {
    return condition.replaceAll(VAR_CALL, (call, single?: string, double?: string) => {
      const variable = this.#byParameter.get(`${routine} ${single ?? double ?? ''}`);
      return variable === undefined ? call : `var(${jinjaString(variable.name)}`;
    });
  }

  get hasRequired(): boolean {
    return this.variables.some(({ value }) => value === null);
  }
}
