/** The list of commands, for a comment. */
import type { CommandSettings } from './settings.ts';
import { levelWords, ruleFor } from './settings.ts';
import { markdownHead, markdownRow, markdownText } from '../report/markdown.ts';
import { COMMANDS } from './table.ts';
import { usageOf } from './parse.ts';

/** A Markdown table of every command, with who may use it here. */
export function helpText(settings: CommandSettings): string {
  return [
    'Commands go on the first line of a comment.',
    '',
    markdownHead(['Command', 'What it does', 'Who may']),
    ...COMMANDS.map(({ name, help }) =>
      markdownRow([
        `\`${usageOf(name)}\``,
        markdownText(help),
        markdownText(levelWords(ruleFor(settings, name))),
      ]),
    ),
    '',
    'Procedures are named `schema.name(argument types)`; without the arguments, or by the bare name, where only one is meant.',
  ].join('\n');
}
