/** The log of one procedure, as a comment shows it. */
import { fitMarkdown } from '../core/checkrun/fit.ts';
import { markdownCode, markdownFence } from '../core/report/markdown.ts';
import { count, truncate } from '../core/report/text.ts';
import type { Metadata } from '../ports/metadata.ts';

/** Characters of a log in a comment, with room for the frame. */
const LOG_SIZE = 60_000;

/** The log of one procedure, for a comment: its last lines where there is no room for all. */
export async function logText(
  metadata: Metadata,
  plan: string,
  id: string,
  wholeUrl: string | null,
): Promise<string> {
  const lines = await metadata.logs(plan, { id });
  if (lines.length === 0) return `${markdownCode(id)}: nothing happened to it yet.`;
  const texts = lines.map(({ at, level, message }) => `${at} ${level} ${message}`);
  let first = texts.length;
  let size = 0;
  while (first > 0) {
    // Written out, a character takes up to four bytes, and one that doesn't show becomes three.
    size += 3 * (texts[first - 1]?.length ?? 0) + 1;
    if (size > LOG_SIZE && first < texts.length) break;
    first -= 1;
  }
  const log = markdownFence(fitMarkdown(texts.slice(first).join('\n'), LOG_SIZE, '… cut here.'));
  const head = `Log of ${markdownCode(truncate(id, 300))}, ${count(lines.length, 'line')}`;
  if (first === 0) return `${head}:\n\n${log}`;
  const whole = wholeUrl === null ? '' : ` The whole is in the log of the [run](${wholeUrl}).`;
  return `${head}, the last ${count(lines.length - first, 'line')} of it:\n\n${log}\n\n${count(first, 'earlier line')} left out.${whole} On a computer, \`sprocket log\` shows all of it.`;
}
