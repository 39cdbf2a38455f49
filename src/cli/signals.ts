/** SIGTERM, SIGINT and the end of the parent process, as something to wait for. */

export interface Ending {
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens for the signals that mean STOP; `onSignal` is called for each of them. */
export function listenForEnd(onSignal: () => void = () => undefined): Ending {
  const controller = new AbortController();
  const end = (): void => {
    controller.abort();
    onSignal();
  };
  for (const name of SIGNALS) process.on(name, end);
  process.on('disconnect', end);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, end);
      process.off('disconnect', end);
    },
  };
}
