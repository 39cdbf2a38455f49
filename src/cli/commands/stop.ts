import type { Command } from 'commander';
import { registerAction, workersText } from './actions.ts';

export function register(program: Command): void {
  registerAction(program, {
    name: 'stop',
    action: 'STOP',
    description: 'end all workers in good order; "resume", then "run" go on where they were',
    effect: (workers) =>
      workers === 0
        ? 'Stopped. No worker is alive.'
        : `Stopping. ${workersText(workers)} will record what is done and end within 5 seconds.`,
  });
}
