import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordedPayloads } from '../github/events.ts';
import { startStage } from './harness.ts';
import type { Stage } from './harness.ts';

let stage: Stage;
const unhandled: unknown[] = [];
const keep = (reason: unknown): void => {
  unhandled.push(reason);
};

beforeAll(async () => {
  process.on('unhandledRejection', keep);
  stage = await startStage();
});
afterAll(async () => {
  process.off('unhandledRejection', keep);
  await stage.close();
});

test('every recorded payload of GitHub goes in without a 5xx', async () => {
  const url = stage.double.webhookUrl ?? '';
  const failed: string[] = [];
  let delivered = 0;
  for (const { name, examples } of recordedPayloads()) {
    for (const payload of examples) {
      delivered += 1;
      const delivery = {
        id: delivered,
        guid: `example-${delivered}`,
        event: name,
        // As of an installation: without one, the App leaves everything alone at once.
        payload: { installation: { id: 77 }, ...payload },
        at: '2026-03-01T10:00:00Z',
        redelivery: false,
        status: 0,
      };
      const status = await stage.double.deliver(delivery, url);
      if (status < 200 || status >= 300) failed.push(`${name}: ${status}`);
    }
  }
  expect(delivered).toBeGreaterThan(250);
  expect(failed).toEqual([]);
  expect(unhandled).toEqual([]);
  expect(stage.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('a delivery with a wrong signature, or without one, is refused', async () => {
  const url = stage.double.webhookUrl ?? '';
  for (const signature of ['sha256=00', `sha256=${'0'.repeat(64)}`, '']) {
    const response = await fetch(url, {
      method: 'POST',
      body: '{}',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'ping',
        'x-github-delivery': 'x',
        ...(signature === '' ? {} : { 'x-hub-signature-256': signature }),
      },
    });
    expect(response.status).toBe(400);
  }
});

test('/health answers', async () => {
  const response = await fetch(`http://127.0.0.1:${stage.app.port}/health`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: 'ok', busy: 0 });
});
