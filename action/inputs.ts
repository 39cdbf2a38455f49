/** What the Action takes and gives: the one place; `action.yml` is compared with it by test. */

export interface InputRow {
  readonly description: string;
  readonly required: boolean;
  /** Null where there is none. */
  readonly default: string | null;
}

export const COMMANDS = ['scope', 'plan', 'work', 'finish', 'control'] as const;
export type ActionCommand = (typeof COMMANDS)[number];

export const INPUTS = {
  command: {
    description: `What to do: ${COMMANDS.join(', ')}.`,
    required: true,
    default: null,
  },
  'app-url': {
    description:
      'Address of the App, as APP_URL says there. The App then gives tokens to this job, which needs the permission id-token: write; the key stays with the App.',
    required: false,
    default: null,
  },
  'app-id': {
    description: 'Without app-url: ID of the GitHub App that Sprocket acts as.',
    required: false,
    default: null,
  },
  'private-key': {
    description: 'Without app-url: private key of the App, PEM.',
    required: false,
    default: null,
  },
  tables: {
    description:
      'For work and finish: where the run is recorded, as plan gave it in its output of this name.',
    required: false,
    default: null,
  },
  worker: {
    description: 'For work: the number of this worker, from 1.',
    required: false,
    default: '1',
  },
  batch: {
    description: 'For work: most procedures that a worker takes at once.',
    required: false,
    default: '25',
  },
  minutes: {
    description:
      'For work: no new work after so many minutes; what is left is done by another workflow run.',
    required: false,
    default: '330',
  },
  'most-legs': {
    description: 'For finish: most workflow runs that one run of a plan takes.',
    required: false,
    default: '40',
  },
} as const satisfies Readonly<Record<string, InputRow>>;
export type InputName = keyof typeof INPUTS;

export const OUTPUTS = {
  proceed: 'Whether there is work to do: true or false.',
  tables:
    'Where the run is recorded, for work and finish: JSON with names, and nothing secret in it.',
  workers: 'JSON list of the numbers of workers, for a matrix.',
  state: 'How the run stands: open, needs a person, or done.',
  total: 'Number of procedures in the run.',
  completed: 'Number of procedures that are completed in any way.',
  failed: 'Number of procedures that failed.',
  skipped: 'Number of procedures that were skipped.',
  'pull-request': 'URL of the pull request; empty where there is none yet.',
  report: 'Path of MIGRATION.md on the runner; empty where there is none yet.',
} as const;
export type OutputName = keyof typeof OUTPUTS;
