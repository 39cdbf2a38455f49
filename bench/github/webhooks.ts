/** How long GitHub waits for the App to answer a webhook. */
import { setTimeout as sleep } from 'node:timers/promises';
import { recordedPayloads } from '../../test/github/events.ts';
import { APP } from '../../test/github/state.ts';
import type { BenchedApp } from './app.ts';

const PER_SECOND = 50;
const SECONDS = 20;
const DELIVERIES = 10_000;

export async function measureWebhooks({
  double,
  webhookUrl,
  waiting,
  idle,
  memory,
}: BenchedApp): Promise<void> {
  const repository = double.addRepository('acme', 'busy', { 'README.md': 'hello' });
  const payloads = recordedPayloads().flatMap(({ name, examples }) =>
    examples.map((payload) => ({
      event: name,
      payload: {
        ...payload,
        installation: { id: APP.installation },
        ...('repository' in payload
          ? { repository: { name: repository.name, owner: { login: 'acme' } } }
          : {}),
      },
    })),
  );
  const send = async (number: number): Promise<number> => {
    const { event, payload } = payloads[number % payloads.length] ?? { event: 'ping', payload: {} };
    const delivery = {
      id: number,
      guid: `bench-${number}`,
      event,
      payload,
      at: new Date().toISOString(),
      redelivery: false,
      status: 0,
    };
    const began = performance.now();
    const status = await double.deliver(delivery, webhookUrl);
    if (status !== 200) throw new Error(`${event}: ${status}`);
    return performance.now() - began;
  };
  const forget = setInterval(() => double.rates.forget(), 500);
  const before = memory();
  const times: Promise<number>[] = [];
  const began = performance.now();
  for (let number = 0; number < PER_SECOND * SECONDS; number += 1) {
    const due = began + (number * 1_000) / PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    times.push(send(number));
  }
  const sorted = (await Promise.all(times)).toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  console.log(
    `webhooks at ${PER_SECOND} a second for ${SECONDS} s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${sorted.at(-1)?.toFixed(0)} ms`,
  );
  for (let number = times.length; number < DELIVERIES; number += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, more) => send(number + more)));
    while ((await waiting()) > 500) await sleep(50);
  }
  await idle();
  clearInterval(forget);
  console.log(
    `memory of the App: ${before} MB before, ${memory()} MB after ${DELIVERIES.toLocaleString('en')} deliveries`,
  );
}
