/** Check runs of which there is one, whoever makes them at the same moment. */
import type { CheckContent } from '../core/checkrun/types.ts';
import type { CheckRun, GitHub } from '../ports/github.ts';

/** Of several the oldest that is open counts; the others are closed. */
export async function createCheckOnce(
  github: GitHub,
  sha: string,
  externalId: string,
  content: CheckContent,
): Promise<CheckRun> {
  const made = await github.createCheck(sha, externalId, content);
  const open = (await github.checksOf(sha)).filter(
    (check) => check.externalId === externalId && check.state.status !== 'completed',
  );
  const first = open[0] ?? made;
  for (const other of open.slice(1)) {
    await github.updateCheck(other.id, {
      ...content,
      state: { status: 'completed', conclusion: 'skipped' },
      title: 'The same is shown by another check run',
    });
  }
  return first;
}
