import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WEBHOOK_SECRET } from '../github/state.ts';
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
  await stage.settled();
  expect(delivered).toBeGreaterThan(250);
  expect(failed).toEqual([]);
  expect(unhandled).toEqual([]);
  expect(stage.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

describe('what is no webhook of GitHub', () => {
  const sign = (body: string): string =>
    `sha256=${createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex')}`;
  const GOOD = {
    'content-type': 'application/json',
    'x-github-event': 'ping',
    'x-github-delivery': 'x',
  };

  async function post(body: string, headers: Record<string, string>): Promise<number> {
    const response = await fetch(stage.double.webhookUrl ?? '', { method: 'POST', body, headers });
    await response.arrayBuffer();
    return response.status;
  }

  test.each(['sha256=00', `sha256=${'0'.repeat(64)}`, 'sha1=00', sign('{ }'), ''])(
    'is refused with the signature "%s"',
    async (signature) => {
      const given = signature === '' ? {} : { 'x-hub-signature-256': signature };
      expect(await post('{}', { ...GOOD, ...given })).toBe(400);
    },
  );

  test.each(['{', '', 'null', '"text"'])('is refused as the JSON %j', async (body) => {
    expect(await post(body, { ...GOOD, 'x-hub-signature-256': sign(body) })).toBe(400);
  });

  test.each(['x-github-event', 'x-github-delivery'])('is refused without %s', async (name) => {
    const headers = Object.entries(GOOD).filter(([key]) => key !== name);
    const signed = { ...Object.fromEntries(headers), 'x-hub-signature-256': sign('{}') };
    expect(await post('{}', signed)).toBe(400);
  });

  test('is refused in another type, by another method, at another place', async () => {
    const signed = { ...GOOD, 'x-hub-signature-256': sign('{}') };
    expect(await post('{}', { ...signed, 'content-type': 'text/plain' })).toBe(415);
    const url = stage.double.webhookUrl ?? '';
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(new URL('/nothing', url))).status).toBe(404);
  });

  test('is taken up to 25 MB, and not read past that', async () => {
    const body = (size: number): string => JSON.stringify({ x: 'y'.repeat(size - 8) });
    const most = 25 * 1024 * 1024;
    const largest = body(most);
    expect(Buffer.byteLength(largest)).toBe(most);
    expect(await post(largest, { ...GOOD, 'x-hub-signature-256': sign(largest) })).toBe(200);
    const larger = body(most + 1);
    const answer = post(larger, { ...GOOD, 'x-hub-signature-256': sign(larger) });
    // Where the connection is cut before all is sent, there is no answer to read.
    expect(await answer.catch(() => 413)).toBe(413);
  });
});

test('/health answers', async () => {
  const response = await fetch(`http://127.0.0.1:${stage.app.port}/health`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: 'ok', waiting: 0 });
});
