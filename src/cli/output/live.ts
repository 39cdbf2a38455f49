/** Shows a run while it goes on: a table that renews itself on a terminal, lines in a pipe. */
import { styleText } from 'node:util';
import type { Clock } from '../../ports/clock.ts';
import type { RunStatus } from '../../usecases/status.ts';
import { changeLines, headline, progressTable } from './progress-table.ts';
import type { Tone } from './progress-table.ts';

export interface LiveOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface LiveView {
  /** Shows the run as it is now. */
  show(status: RunStatus): void;
  /** Writes a line that stays. */
  say(line: string): void;
}

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  plain: 'reset',
  good: 'green',
  bad: 'red',
  busy: 'cyan',
  quiet: 'dim',
  strong: 'bold',
};

export function painter(output: LiveOutput): (tone: Tone, text: string) => string {
  const color = output.isTTY === true && (process.env.NO_COLOR ?? '') === '';
  return (tone, text) =>
    color && tone !== 'plain' ? styleText(STYLES[tone], text, { validateStream: false }) : text;
}

export function liveView(output: LiveOutput, clock: Clock): LiveView {
  return output.isTTY === true ? tableView(output, clock) : lineView(output, clock);
}

function tableView(output: LiveOutput, clock: Clock): LiveView {
  let drawn: string[] = [];
  const draw = (lines: string[]): void => {
    const up = drawn.length === 0 ? '' : `\x1b[${drawn.length}A`;
    // To the start, over what was there, and away with what is left of it.
    output.write(`${up}\r${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`);
    drawn = lines;
  };
  return {
    show: (status) => {
      draw(
        progressTable(status, {
          // A line as wide as the terminal wraps on some of them.
          width: (output.columns ?? 80) - 1,
          height: Math.max(4, (output.rows ?? 24) - 2),
          now: Date.parse(clock.now()),
          paint: painter(output),
        }),
      );
    },
    say: (line) => {
      const table = drawn;
      draw([line]);
      drawn = [];
      draw(table);
    },
  };
}

function lineView(output: LiveOutput, clock: Clock): LiveView {
  let before: RunStatus | null = null;
  let lastHead = '';
  const stamped = (line: string): void => {
    output.write(`${clock.now().slice(11, 19)}Z ${line}\n`);
  };
  return {
    show: (status) => {
      for (const line of changeLines(before, status)) stamped(line);
      const head = headline(status, Date.parse(clock.now())).replace(/ · [^·]*$/u, '');
      if (head !== lastHead) stamped(head);
      lastHead = head;
      before = status;
    },
    say: stamped,
  };
}
