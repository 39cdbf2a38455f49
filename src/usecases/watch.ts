/** Keeps an eye on `wirekite_action`, so that whoever works obeys it within seconds. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import type { Action } from '../core/lifecycle/action.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata.ts';

export interface Watch {
  /** The action that holds now: STOP where the process was told to end. */
  action(): Action;
  /** Aborted at the next PAUSE or STOP; another one after each RUN. */
  interruption(): AbortSignal;
  /** Waits while the action is PAUSE; gives false where it is STOP. */
  mayGoOn(): Promise<boolean>;
  /** Ends the watch; throws what made it end before. */
  close(): Promise<void>;
}

export interface WatchOptions {
  /** Aborted when the process is to end (SIGTERM, SIGINT): the same as STOP. */
  readonly ending: AbortSignal;
  /** Called once for each new warning about the table's content. */
  readonly onWarning: (warning: string) => void;
}

/** Milliseconds between two looks: five fit into the time in which people may expect an effect. */
const INTERVAL = 1_000;

/** Starts to watch; the first look is done when the promise resolves. */
export async function watchAction(
  metadata: Metadata,
  clock: Clock,
  options: WatchOptions,
): Promise<Watch> {
  const closing = new AbortController();
  const until = AbortSignal.any([closing.signal, options.ending]);
  let action: Action = 'RUN';
  let warned: string | null = null;
  let interruption = new AbortController();
  let failure: { readonly error: unknown } | null = null;

  function become(next: Action): void {
    action = next;
    if (action !== 'RUN') interruption.abort();
    else if (interruption.signal.aborted) interruption = new AbortController();
  }

  async function look(): Promise<void> {
    const effective = effectiveAction(await metadata.actions());
    if (effective.warning !== warned && effective.warning !== null) {
      options.onWarning(effective.warning);
    }
    warned = effective.warning;
    become(options.ending.aborted ? 'STOP' : effective.action);
  }

  async function watch(): Promise<void> {
    try {
      while (!until.aborted) {
        await clock.sleep(INTERVAL, until);
        if (!until.aborted) await look();
      }
    } catch (error) {
      // Nobody can say any more what is wanted: end like STOP, and say why at the end.
      failure = { error };
      become('STOP');
    }
  }

  options.ending.addEventListener('abort', () => become('STOP'), { once: true });
  await look();
  const watching = watch();
  const current = (): Action => action;
  return {
    action: current,
    interruption: () => interruption.signal,
    mayGoOn: async () => {
      while (current() === 'PAUSE') await clock.sleep(INTERVAL / 4, options.ending);
      return current() === 'RUN';
    },
    close: async () => {
      closing.abort();
      await watching;
      if (failure !== null) throw failure.error;
    },
  };
}
