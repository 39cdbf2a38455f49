/** What a step could have set: marked where the step can't be translated. */
import type { StateEnvironment } from '../binding.ts';
import { isPlainQuery, readStatement } from '../postgres/statement.ts';
import type { CodeText, Step, Target } from '../program.ts';
import { bodiesOf } from '../program.ts';

interface Effects {
  readonly tables: readonly string[];
  readonly variables: readonly Target[];
  /** False where the step could do something that can't be told. */
  readonly known: boolean;
}

/** Tables and variables that a step, or a step inside it, sets. */
export function effects(step: Step, environment: StateEnvironment): Effects {
  const tables = new Set<string>();
  const variables: Target[] = [];
  let known = true;
  const visit = (at: Step): void => {
    if (at.kind === 'statement') {
      const target = writtenBy(at.code, environment);
      if (target === 'unknown') known = false;
      else if (target) tables.add(target);
      variables.push(...(at.into ?? []));
    } else if (at.kind === 'assign') variables.push(at.target);
    else if (at.kind === 'execute') {
      known = at.into !== null && known;
      variables.push(...(at.into ?? []));
    } else if (at.kind === 'diagnostics') variables.push(...at.items.map((item) => item.target));
    else if (at.kind === 'fetch') variables.push(...at.targets);
    else if (
      at.kind === 'perform' ||
      at.kind === 'unknown' ||
      at.kind === 'return-query' ||
      at.kind === 'return-next'
    )
      known = false;
    else if (at.kind === 'transaction' || at.kind === 'return' || at.kind === 'raise')
      known = false;
    for (const body of bodiesOf(at)) for (const inner of body) visit(inner);
  };
  visit(step);
  return { tables: [...tables], variables, known };
}

function writtenBy(code: CodeText, environment: StateEnvironment): string | null | 'unknown' {
  environment.lastTarget = null;
  try {
    for (const part of readStatement(code, environment)) {
      const bound = part.bind(new Map());
      if (
        bound.kind === 'call' ||
        bound.kind === 'drop' ||
        bound.kind === 'create' ||
        bound.kind === 'create-as'
      )
        return 'unknown';
    }
    return environment.lastTarget;
  } catch {
    return environment.lastTarget ?? (isPlainQuery(code) ? null : 'unknown');
  }
}
