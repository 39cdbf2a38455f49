/** `control`: does what a comment, a button or a box asks for. */
import { info } from '@actions/core';
import { controlPayload } from '../../src/core/checkrun/launch.ts';
import { control } from '../../src/usecases/github-control.ts';
import { reporter } from '../../src/usecases/github-report.ts';
import { bringManualModels } from '../../src/usecases/manual.ts';
import { payloadOf, readPlanAt } from '../plan-of-run.ts';
import { runnerEvent, workflowUrl } from '../runner.ts';
import { openJob, openLeadership, openPlanMetadata, releaseSource } from '../wiring.ts';

export async function controlCommand(): Promise<void> {
  const { context, repository } = await openJob('control');
  const payload = payloadOf(runnerEvent(), controlPayload);
  const { plan, path } = await readPlanAt(context, payload.sha);
  const metadata = await openPlanMetadata(plan);
  try {
    await metadata.migrate();
    const done = await control(context, { metadata, plan, payload, release: releaseSource(plan) });
    info(done ?? 'It was done before.');
    await bringManualModels(metadata, repository, plan.settings.name);
    const leadership = await openLeadership(plan);
    try {
      // Where a worker reports, it does so within seconds anyhow.
      if (payload.issue !== null && (await leadership.holds())) {
        const { issue } = payload;
        const reporting = { metadata, plan, path, issue, workflowUrl: workflowUrl() };
        await reporter(context, reporting).report(null);
      }
    } finally {
      await leadership.close();
    }
  } finally {
    await metadata.close();
  }
}
