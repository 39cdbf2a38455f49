/** Shows a run while it goes on: a table that renews itself on a terminal, lines in a pipe. */
import type { ProgressRow } from '../../core/report/progress.ts';
import { progressTitle } from '../../core/report/progress.ts';
import { changeLines, terminalTable } from '../../core/report/progress-terminal.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunStatus } from '../../usecases/status.ts';

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

/** Whether colours are wanted there: https://no-color.org. */
export function isColoured(output: LiveOutput): boolean {
  return output.isTTY === true && (process.env.NO_COLOR ?? '') === '';
}

export function liveView(output: LiveOutput, clock: Clock): LiveView {
  return output.isTTY === true ? tableView(output, clock) : lineView(output, clock);
}

function tableView(output: LiveOutput, clock: Clock): LiveView {
  let drawn: readonly string[] = [];
  const draw = (lines: readonly string[]): void => {
    const up = drawn.length === 0 ? '' : `\x1b[${drawn.length}A`;
    // To the start, over what was there, and away with what is left of it.
    output.write(`${up}\r${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[0J`);
    drawn = lines;
  };
  return {
    show: ({ progress }) => {
      draw(
        terminalTable(progress, {
          // A line as wide as the terminal wraps on some of them, and a picture as high scrolls.
          columns: (output.columns ?? 80) - 1,
          lines: (output.rows ?? 24) - 2,
          colour: isColoured(output),
          now: clock.now(),
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
  let before: readonly ProgressRow[] = [];
  let lastTitle = '';
  const stamped = (line: string): void => {
    output.write(`${clock.now().slice(11, 19)}Z ${line}\n`);
  };
  return {
    show: ({ progress }) => {
      const { rows } = progress;
      for (const line of changeLines(before, rows.filter(isNews), clock.now())) stamped(line);
      const title = `${progress.plan}: ${progress.action ?? ''}, ${progressTitle(rows)}`;
      if (title !== lastTitle) stamped(title);
      lastTitle = title;
      before = rows;
    },
    say: stamped,
  };
}

/** At its start a run has thousands of rows that wait. */
function isNews({ status }: ProgressRow): boolean {
  return status !== 'Pending' && status !== 'Blocked';
}
