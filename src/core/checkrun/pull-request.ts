/** The pull request's title and body, from the migration's summary. */
import { fitLine, fitMarkdown } from './fit.ts';
import { BODY, TITLE } from './limits.ts';

export interface PullRequestText {
  readonly plan: string;
  readonly run: string;
  /** `MIGRATION.md` as Sprocket rendered it: safe Markdown. */
  readonly summary: string;
  /** Where the whole summary is. */
  readonly summaryUrl: string;
}

/** Marks a pull request as that of a plan's run, whatever people make of its title. */
function pullRequestMarker(plan: string, run: string): string {
  return `<!-- sprocket-plan ${plan} ${run} -->`;
}

/** The run that a pull request of the plan is of; null where it is of none. */
export function runOfPullRequest(body: string, plan: string): string | null {
  const found = /^<!-- sprocket-plan (\S+) ([0-9a-f-]{36}) -->/u.exec(body);
  return found !== null && found[1] === plan ? (found[2] ?? null) : null;
}

export function pullRequestTitle(plan: string, models: number): string {
  return fitLine(
    `Replace the stored procedures of ${plan} with ${models} dbt ${models === 1 ? 'model' : 'models'}`,
    TITLE,
  );
}

export function pullRequestBody({ plan, run, summary, summaryUrl }: PullRequestText): string {
  const note = `… the rest has no room here: [the whole summary](${summaryUrl}).`;
  return fitMarkdown(`${pullRequestMarker(plan, run)}\n${summary}`, BODY, note);
}
