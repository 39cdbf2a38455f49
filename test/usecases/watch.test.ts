import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../src/ports/metadata.ts';
import { watchAction } from '../../src/usecases/watch.ts';
import type { Watch } from '../../src/usecases/watch.ts';
import { useMetadata } from '../adapters/postgres/metadata-harness.ts';

const { open, started, rows } = useMetadata();

/** Every look at the table happens when the test says so. */
function manualClock(): {
  now: () => string;
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  tick: () => void;
} {
  const waiting = new Set<() => void>();
  return {
    now: () => '2026-07-01T12:00:00.000Z',
    sleep: (_, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
        waiting.add(resolve);
        return undefined;
      }),
    tick: () => {
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
}

interface Watched {
  readonly watch: Watch;
  readonly metadata: Metadata;
  readonly warnings: string[];
  readonly ending: AbortController;
  /** Lets the watch look until something holds. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

async function watched(): Promise<Watched> {
  const metadata = await started(['a']);
  const clock = manualClock();
  const ending = new AbortController();
  const warnings: string[] = [];
  const watch = await watchAction(await open(), clock, {
    ending: ending.signal,
    onWarning: (warning) => warnings.push(warning),
  });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      clock.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { watch, metadata, warnings, ending, until };
}

describe('the watch on wirekite_action', () => {
  it('follows what anybody writes, and interrupts what is under way', async () => {
    const { watch, metadata, until } = await watched();
    const first = watch.interruption();
    expect([watch.action(), first.aborted]).toEqual(['RUN', false]);
    await metadata.setAction('PAUSE');
    await until(() => watch.action() === 'PAUSE');
    expect(first.aborted).toBe(true);
    let goesOn: boolean | null = null;
    const waiting = watch.mayGoOn().then((answer) => {
      goesOn = answer;
      return answer;
    });
    await metadata.setAction('RUN');
    await until(() => goesOn !== null);
    expect(await waiting).toBe(true);
    expect(watch.interruption().aborted).toBe(false);
    await metadata.setAction('STOP');
    await until(() => watch.action() === 'STOP');
    expect(await watch.mayGoOn()).toBe(false);
    await watch.close();
  });

  it('pauses and warns once where the word means nothing', async () => {
    const { watch, metadata, warnings, until } = await watched();
    await rows(`UPDATE "wire ""kite""".wirekite_action SET action = 'HALT'`);
    await until(() => watch.action() === 'PAUSE');
    await metadata.setAction('RUN');
    await until(() => watch.action() === 'RUN');
    await watch.close();
    expect(warnings).toEqual([expect.stringContaining('"HALT"')]);
  });

  it('takes the end of the process for STOP, even while it pauses', async () => {
    const { watch, metadata, ending, until } = await watched();
    await metadata.setAction('PAUSE');
    await until(() => watch.action() === 'PAUSE');
    const waiting = watch.mayGoOn();
    ending.abort();
    expect(await waiting).toBe(false);
    await watch.close();
  });

  it('stops, and says why at its end, where the table can’t be read any more', async () => {
    await started(['a']);
    const metadata = await open();
    const clock = manualClock();
    const options = { ending: new AbortController().signal, onWarning: () => {} };
    const watch = await watchAction(metadata, clock, options);
    await rows('DROP SCHEMA "wire ""kite""" CASCADE');
    while (watch.action() !== 'STOP') {
      clock.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect(watch.close()).rejects.toThrow('wirekite_action');
  });
});
