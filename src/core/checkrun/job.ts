/** What jobs of GitHub Actions have room for. */
import { fitMarkdown } from './fit.ts';
import { MATRIX, STEP_SUMMARY } from './limits.ts';

/** Numbers of the workers that a run starts: as many as the plan says, and never more than have work. */
export function workerNumbers(workers: number, procedures: number): readonly number[] {
  const count = Math.min(workers, MATRIX, Math.max(1, procedures));
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Kept free: what other steps of the runner add. */
const SPARE = 1_024;

/** The summary of a step: the report, under the link to the pull request where there is one. */
export function stepSummaryText(report: string, pullRequest: string | null): string {
  const link = pullRequest === null ? '' : `[Pull request](${pullRequest})\n\n`;
  return fitMarkdown(`${link}${report}`, STEP_SUMMARY - SPARE, '… cut here.');
}
