/** The slash commands: the one table that the parser, the permissions, the help and the docs read. */

/** Roles of a repository on GitHub, from least to most. */
export const LEVELS = ['read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Level = (typeof LEVELS)[number];

/**
 * What may stand behind the word. `reason`: free text. `procedures`: one or more names.
 * `procedure and reason`: one name, then free text that must be there.
 */
export type ArgumentForm =
  | 'none'
  | 'reason'
  | 'procedures'
  | 'optional procedures'
  | 'procedure'
  | 'procedure and reason';

interface CommandRow {
  readonly name: string;
  readonly form: ArgumentForm;
  /** How the arguments are written in the help. */
  readonly usage: string;
  readonly help: string;
}

export const COMMANDS = [
  {
    name: 'launch',
    form: 'none',
    usage: '',
    help: 'Start the plan on the default branch. On a pull request that changes the plan: merge it, which starts it.',
  },
  { name: 'status', form: 'none', usage: '', help: 'Say how the run stands.' },
  {
    name: 'pause',
    form: 'reason',
    usage: '[reason…]',
    help: 'Let every worker finish its step and wait. The reason is shown to everybody.',
  },
  {
    name: 'resume',
    form: 'none',
    usage: '',
    help: 'Go on after a pause, a stop or an interruption.',
  },
  {
    name: 'stop',
    form: 'reason',
    usage: '[reason…]',
    help: 'Let every worker record what it has and end. Nothing is lost: /resume goes on from there.',
  },
  {
    name: 'retry',
    form: 'optional procedures',
    usage: '[procedure…]',
    help: 'Queue failed procedures and pipelines again; without a name, all of them.',
  },
  {
    name: 'skip',
    form: 'procedures',
    usage: 'procedure…',
    help: 'Leave procedures out. What depends on them reads their tables as dbt sources.',
  },
  {
    name: 'manual',
    form: 'procedures',
    usage: 'procedure…',
    help: "Take a person's model from the run's branch, and prove it in place of the generated one.",
  },
  {
    name: 'accept',
    form: 'procedure and reason',
    usage: 'procedure reason…',
    help: 'Take a model whose proof could not be given. Your name and the reason go into the summary.',
  },
  {
    name: 'log',
    form: 'procedure',
    usage: 'procedure',
    help: 'Show what happened to a procedure.',
  },
  {
    name: 'reset',
    form: 'none',
    usage: '',
    help: 'Forget the progress of the plan and empty the tables that it loaded. Only after /stop.',
  },
  { name: 'help', form: 'none', usage: '', help: 'Show this list.' },
] as const satisfies readonly CommandRow[];

export type CommandName = (typeof COMMANDS)[number]['name'];

/** What a person must be allowed to do in the repository where the configuration says nothing. */
export const DEFAULT_LEVEL: Level = 'write';

export function isCommandName(word: string): word is CommandName {
  return COMMANDS.some(({ name }) => name === word);
}
