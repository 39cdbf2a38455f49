/** Notes on lines of the plan. */
import type { Plan, PlanProblem } from '../plan/types.ts';
import type { ProgressRow } from '../report/progress.ts';
import { fitLine } from './fit.ts';
import { ANNOTATION_MESSAGE, ANNOTATION_TITLE, MOST_ANNOTATIONS } from './limits.ts';
import type { Annotation } from './types.ts';

/** Every problem of a plan on its line. */
export function problemAnnotations(
  path: string,
  problems: readonly PlanProblem[],
): readonly Annotation[] {
  return problems
    .slice(0, MOST_ANNOTATIONS)
    .map(({ line, message, code }) => annotation(path, line, 'failure', wordsOf(code), message));
}

/** Failed procedures on their rows of the plan, with the reason. */
export function failureAnnotations(
  path: string,
  plan: Plan,
  rows: readonly ProgressRow[],
): readonly Annotation[] {
  const lines = new Map(plan.procedures.map(({ id, position }) => [id, position.line]));
  return rows
    .filter(({ kind, status }) => kind === 'procedure' && status === 'Failed')
    .flatMap(({ name, message }) => {
      const line = lines.get(name);
      const why = message ?? 'It failed; its log says why.';
      return line === undefined ? [] : [annotation(path, line, 'warning', `${name} failed`, why)];
    })
    .slice(0, MOST_ANNOTATIONS);
}

function annotation(
  path: string,
  line: number,
  level: Annotation['level'],
  title: string,
  message: string,
): Annotation {
  return {
    path,
    startLine: line,
    endLine: line,
    level,
    title: fitLine(title, ANNOTATION_TITLE),
    message: fitLine(message, ANNOTATION_MESSAGE / 4),
  };
}

function wordsOf(code: string): string {
  const words = code.replaceAll('-', ' ');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
