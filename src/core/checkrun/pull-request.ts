/** The pull request's title and body, from the migration's summary. */
import { fitLine, fitMarkdown } from './fit.ts';
import { BODY, TITLE } from './limits.ts';

export interface PullRequestText {
  readonly plan: string;
  /** `MIGRATION.md` as Sprocket rendered it: safe Markdown. */
  readonly summary: string;
  /** Where the whole summary is. */
  readonly summaryUrl: string;
}

/** Marks a pull request as the one of a plan, whatever people make of its title. */
export function pullRequestMarker(plan: string): string {
  return `<!-- sprocket-plan ${plan} -->`;
}

export function pullRequestTitle(plan: string, models: number): string {
  return fitLine(
    `Replace the stored procedures of ${plan} with ${models} dbt ${models === 1 ? 'model' : 'models'}`,
    TITLE,
  );
}

export function pullRequestBody({ plan, summary, summaryUrl }: PullRequestText): string {
  const note = `… the rest has no room here: [the whole summary](${summaryUrl}).`;
  return fitMarkdown(`${pullRequestMarker(plan)}\n${summary}`, BODY, note);
}
