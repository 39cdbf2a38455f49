/** `control`: does what a comment, a button or a box asks for. */
import { info } from '@actions/core';
import { controlPayload } from '../../src/core/checkrun/launch.ts';
import { control } from '../../src/usecases/github-control.ts';
import { reporter } from '../../src/usecases/github-report.ts';
import { bringManualModels } from '../../src/usecases/manual.ts';
import { payloadOf, readPlanAt } from '../plan-of-run.ts';
import { runnerEvent } from '../runner.ts';
import {
  openJob,
  openPlanLeadership,
  openPlanMetadata,
  releaseSource,
  reportInterval,
} from '../wiring.ts';

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
    const leadership = await openPlanLeadership(plan);
    try {
      // Where a worker reports, it does so within seconds anyhow.
      if (payload.issue !== null && (await leadership.holds())) {
        await reporter(context, {
          metadata,
          plan,
          path,
          payload,
          // The workflow run that works is told of by its own jobs.
          workflowUrl: null,
          branch: repository,
          interval: reportInterval(),
        }).report(null);
      }
    } finally {
      await leadership.close();
    }
  } finally {
    await metadata.close();
  }
}
