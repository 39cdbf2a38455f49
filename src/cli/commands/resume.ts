import type { Command } from 'commander';
import { registerAction, workersText } from './actions.ts';

export function register(program: Command): void {
  registerAction(program, {
    name: 'resume',
    action: 'RUN',
    description: 'let a paused run go on, and a stopped one be started again',
    effect: (workers) =>
      workers === 0
        ? 'Nothing holds the run back now. No worker is alive: start them with "sprocket run".'
        : `Resumed. ${workersText(workers)} will go on within 5 seconds.`,
  });
}
