/** The progress of a run as GitHub Markdown: for the check run, the monitor issue and comments. */
import type { Instant, Status } from '../lifecycle/state.ts';
import { fitBlocks, within } from './limit.ts';
import {
  byteLength,
  markdownCode,
  markdownFoldedLog,
  markdownHead,
  markdownRow,
  markdownText,
} from './markdown.ts';
import { byUrgency, countWords, detailOf, elapsed, phaseOf, progressTitle } from './progress.ts';
import type { Progress, ProgressRow } from './progress.ts';
import { count, truncate } from './text.ts';

export interface ProgressMarkdownOptions {
  readonly now: Instant;
  /** Most bytes of UTF-8, at least 1,000: GitHub takes 65,535 characters. */
  readonly limit: number;
  /** Log lines by name of row, oldest first; shown folded, as far as there is room. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  /** Where the whole table is, for the note on what was left out; null where nowhere. */
  readonly wholeUrl: string | null;
}

/** Lines of a log that are shown, and characters of each. */
const LOG_LINES = 30;
const LOG_COLUMNS = 300;
/** So that one long message does not push others out. */
const DETAIL_COLUMNS = 300;
const NAME_COLUMNS = 200;

const SIGNS: Readonly<Record<Status, string>> = {
  Failed: '❌',
  Blocked: '⛔',
  Running: '🔄',
  Pending: '⏳',
  'Completed (accepted)': '☑️',
  'Completed (manual)': '☑️',
  Completed: '✅',
  Skipped: '⏭️',
};

/** A line of counts and the table, failed and blocked rows first, cut at a row. */
export function progressMarkdown(progress: Progress, options: ProgressMarkdownOptions): string {
  const rows = byUrgency(progress.rows);
  const action =
    progress.action === null || progress.action === 'RUN' ? '' : ` · ${progress.action}`;
  const head = `**${progressTitle(progress.rows)}**${action}\n\n${markdownHead(
    ['', 'Name', 'Status', 'Phase', 'Time', 'Details'],
    ['Time'],
  )}\n`;
  if (rows.length === 0) return `**${progressTitle(rows)}**${action}\n`;
  const plain = rows.map((row) => tableRow(row, options.now, ''));
  const room =
    options.limit - byteLength(head) - plain.reduce((sum, row) => sum + byteLength(row), 0);
  const logs = rows.map((row) => foldedLog(options.logs.get(row.name) ?? []));
  const withLog = within(
    logs.map((log) => byteLength(log)),
    room,
  );
  const entries = rows.map((row, index) =>
    withLog.has(index) && logs[index] !== ''
      ? tableRow(row, options.now, logs[index] ?? '')
      : (plain[index] ?? ''),
  );
  return fitBlocks(
    [
      {
        head,
        entries,
        tail: '',
        left: (left) => leftOut(rows.slice(rows.length - left), options.wholeUrl),
      },
    ],
    options.limit,
  );
}

function tableRow(row: ProgressRow, now: Instant, log: string): string {
  const name = markdownCode(truncate(row.name, NAME_COLUMNS));
  const detail = markdownText(truncate(detailOf(row), DETAIL_COLUMNS));
  const cells = [
    SIGNS[row.status],
    row.kind === 'pipeline' ? `${name} (pipeline)` : name,
    row.status,
    markdownText(phaseOf(row)),
    elapsed(row, now),
    [detail, log].filter((part) => part !== '').join(' '),
  ];
  return `${markdownRow(cells)}\n`;
}

function foldedLog(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(-LOG_LINES).map((line) => truncate(line, LOG_COLUMNS));
  const hidden = lines.length - shown.length;
  const first = hidden > 0 ? [`… ${count(hidden, 'earlier line')}`] : [];
  return markdownFoldedLog([...first, ...shown], `Log (${count(lines.length, 'line')})`);
}

function leftOut(rows: readonly ProgressRow[], url: string | null): string {
  const whole = url === null ? '' : ` [The whole table](${url})`;
  return `\n… and ${count(rows.length, 'more row', 'more rows')}: ${countWords(rows)}.${whole}\n`;
}
