/** The buttons of a check run: at most three, chosen by how the run stands. */
import type { CommandName } from '../commands/table.ts';
import { BUTTONS } from './limits.ts';
import type { Button } from './types.ts';

/** How a run stands, as far as buttons are concerned. */
export type RunSituation =
  /** Checked, and could start: a plan on a pull request, or one that no workflow took up. */
  | 'launchable'
  /** The plan must be changed first. */
  | 'refused'
  | 'running'
  | 'paused'
  | 'stopped'
  /** Nobody works on it, although somebody should. */
  | 'interrupted'
  /** Nothing is left that a worker could do. */
  | 'needs a person'
  | 'done';

interface ButtonRow extends Button {
  readonly command: CommandName;
}

const ROWS = {
  launch: {
    label: 'Launch',
    description: 'Start the plan',
    identifier: 'launch',
    command: 'launch',
  },
  pause: {
    label: 'Pause',
    description: 'Finish the step at hand, then wait',
    identifier: 'pause',
    command: 'pause',
  },
  resume: {
    label: 'Resume',
    description: 'Go on from where it stands',
    identifier: 'resume',
    command: 'resume',
  },
  stop: {
    label: 'Stop',
    description: 'Record what is there, then end',
    identifier: 'stop',
    command: 'stop',
  },
  retry: {
    label: 'Retry failed',
    description: 'Queue every failed procedure again',
    identifier: 'retry-failed',
    command: 'retry',
  },
} as const satisfies Record<string, ButtonRow>;

/** The buttons for a run; `failed` is the number of its failed procedures. */
export function buttonsFor(situation: RunSituation, failed: number): readonly Button[] {
  const retry = failed > 0 ? [ROWS.retry] : [];
  return rowsFor(situation, retry)
    .slice(0, BUTTONS)
    .map(({ label, description, identifier }) => ({ label, description, identifier }));
}

/** The command that a button stands for; null for one of somebody else. */
export function commandOfButton(identifier: string): CommandName | null {
  return Object.values(ROWS).find((row) => row.identifier === identifier)?.command ?? null;
}

function rowsFor(situation: RunSituation, retry: readonly ButtonRow[]): readonly ButtonRow[] {
  switch (situation) {
    case 'launchable':
      return [ROWS.launch];
    case 'running':
      return [ROWS.pause, ROWS.stop, ...retry];
    case 'paused':
      return [ROWS.resume, ROWS.stop, ...retry];
    case 'stopped':
    case 'interrupted':
      return [ROWS.resume, ...retry];
    case 'needs a person':
      return [...retry, ROWS.stop];
    case 'refused':
    case 'done':
      return [];
  }
}
