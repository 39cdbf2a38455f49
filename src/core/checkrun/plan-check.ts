/** What a check run says about a plan that nobody has launched yet. */
import { makeGraph } from '../graph/graph.ts';
import { mermaid } from '../graph/mermaid.ts';
import { launchProblems } from '../plan/launch.ts';
import { RATINGS } from '../plan/types.ts';
import type { Plan, PlanProblem } from '../plan/types.ts';
import type { ParsedPlan } from '../plan/parse.ts';
import { markdownFence, markdownHead, markdownRow, markdownText } from '../report/markdown.ts';
import { count } from '../report/text.ts';
import { problemAnnotations } from './annotations.ts';
import { buttonsFor } from './buttons.ts';
import { fitLine, fitMarkdown } from './fit.ts';
import { CHECK_TEXT, CHECK_TITLE } from './limits.ts';
import type { CheckContent } from './types.ts';

export interface PlanCheckOptions {
  /** Path of the plan in the repository. */
  readonly path: string;
  /** `pull request`: it may still change, and merging launches it. */
  readonly on: 'pull request' | 'default branch';
}

/**
 * What keeps a plan from being launched as far as the repository alone says. Whether the secrets
 * are there only the Action sees.
 */
export function planProblems(parsed: ParsedPlan): readonly PlanProblem[] {
  const { plan, problems } = parsed;
  if (plan === null) return problems;
  const { source, target, sandbox } = plan.settings;
  const named = [source.urlVariable, target.urlVariable, sandbox?.urlVariable ?? ''];
  return launchProblems(plan, new Set(named));
}

/** The check run of a plan that is offered, or that was refused. */
export function planCheck(parsed: ParsedPlan, options: PlanCheckOptions): CheckContent {
  const problems = planProblems(parsed);
  const refused = problems.length > 0;
  const scope = parsed.plan === null ? [] : scopeLines(parsed.plan);
  const summary = [
    refused ? refusal(options) : offer(options),
    '',
    ...problemLines(problems, options.path),
    ...scope,
  ].join('\n');
  const note = '… the rest has no room here: run `sprocket check` on the plan to see all of it.';
  return {
    state: { status: 'completed', conclusion: refused ? 'action_required' : 'success' },
    title: fitLine(
      refused ? `${count(problems.length, 'problem')} in the plan` : titleOf(parsed.plan),
      CHECK_TITLE,
    ),
    summary: fitMarkdown(summary, CHECK_TEXT, note),
    text: parsed.plan === null ? null : graphText(parsed.plan),
    annotations: problemAnnotations(options.path, problems),
    buttons: buttonsFor(refused ? 'refused' : 'launchable', 0),
    detailsUrl: null,
  };
}

/** `12 of 20 procedures and 3 of 4 pipelines included`. */
export function scopeWords(plan: Plan): string {
  const procedures = included(plan.procedures);
  const words = `${procedures} of ${count(plan.procedures.length, 'procedure')}`;
  return plan.pipelines.length === 0
    ? `${words} included`
    : `${words} and ${included(plan.pipelines)} of ${count(plan.pipelines.length, 'pipeline')} included`;
}

function titleOf(plan: Plan | null): string {
  return plan === null ? 'No plan' : `Ready: ${scopeWords(plan)}`;
}

function offer({ on }: PlanCheckOptions): string {
  return on === 'pull request'
    ? 'The plan is complete. **Merge this pull request to launch it**, or press Launch, or comment `/launch`.'
    : 'The plan is complete. Press Launch, or comment `/launch` on an issue.';
}

function refusal({ on }: PlanCheckOptions): string {
  return on === 'pull request'
    ? 'The plan can not be launched yet. Each problem is also noted on its line.'
    : 'The plan was not launched. Each problem is also noted on its line; a push that mends the plan launches it.';
}

function problemLines(problems: readonly PlanProblem[], path: string): string[] {
  if (problems.length === 0) return [];
  const shown = problems
    .slice(0, 100)
    .map(({ line, message }) => `- \`${path}\` line ${line}: ${markdownText(message)}`);
  const left = problems.length - shown.length;
  return [...shown, ...(left > 0 ? [`- … and ${count(left, 'more problem')}`] : []), ''];
}

function scopeLines(plan: Plan): string[] {
  const rated = RATINGS.map((rating) => ({
    rating,
    rows: plan.procedures.filter((procedure) => procedure.rating === rating),
  }));
  const unrated = plan.procedures.filter(({ rating }) => rating === null);
  const rows = [...rated, ...(unrated.length > 0 ? [{ rating: 'not rated', rows: unrated }] : [])];
  return [
    `### Scope of ${markdownText(plan.settings.name)}`,
    '',
    markdownHead(['Rating', 'Procedures', 'Included'], ['Procedures', 'Included']),
    ...rows.map((row) => markdownRow([row.rating, `${row.rows.length}`, `${included(row.rows)}`])),
    markdownRow(['**All**', `${plan.procedures.length}`, `${included(plan.procedures)}`]),
    '',
    `Pipelines: ${included(plan.pipelines)} of ${plan.pipelines.length} included. Workers: ${plan.settings.workers}.`,
  ];
}

function graphText(plan: Plan): string {
  const chosen = plan.procedures.filter(({ include }) => include);
  const graph = makeGraph(
    chosen.map(({ id }) => id),
    chosen.flatMap(({ id, dependsOn }) =>
      dependsOn.procedures.map((other): [string, string] => [id, other]),
    ),
  );
  return `### Who waits for whom\n\n${markdownFence(mermaid(graph), 'mermaid')}`;
}

function included(rows: readonly { readonly include: boolean }[]): number {
  return rows.filter(({ include }) => include).length;
}
