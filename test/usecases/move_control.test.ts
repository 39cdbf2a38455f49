/** What a move knows of its action before it has seen it. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { ConnectionLost } from '../../src/ports/move.ts';
import { patiently, watchAction } from '../../src/usecases/move_control.ts';

test('a first look that fails is not taken for RUN: it is tried again, and PAUSE holds from the first', async () => {
  const answers: (() => readonly string[])[] = [
    () => {
      throw new ConnectionLost('gone for a moment');
    },
    () => ['PAUSE'],
  ];
  const { signal } = new AbortController();
  const control = await patiently(systemClock, signal, 10_000, () =>
    watchAction({
      words: async () => answers.shift()?.() ?? ['PAUSE'],
      clock: systemClock,
      signal,
      warn: () => undefined,
    }),
  );
  expect(control.action()).toBe('PAUSE');
  await control.close();
});

test('a later look that fails keeps what held before', async () => {
  let looks = 0;
  const { signal } = new AbortController();
  const control = await watchAction({
    words: async () => {
      looks += 1;
      if (looks > 1) throw new ConnectionLost('gone');
      return ['PAUSE'];
    },
    clock: { ...systemClock, sleep: (_, end) => systemClock.sleep(1, end) },
    signal,
    warn: () => undefined,
  });
  await expect.poll(() => looks).toBeGreaterThan(2);
  expect(control.action()).toBe('PAUSE');
  await control.close();
});
