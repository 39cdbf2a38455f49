import type { Command } from 'commander';
import { registerAction, workersText } from './actions.ts';

export function register(program: Command): void {
  registerAction(program, {
    name: 'pause',
    action: 'PAUSE',
    description: 'let workers wait at the next safe point; "resume" lets them go on',
    effect: (workers) =>
      workers === 0
        ? 'Paused. No worker is alive.'
        : `Paused. ${workersText(workers)} will wait within 5 seconds.`,
  });
}
