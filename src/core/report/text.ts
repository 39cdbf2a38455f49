/** Text for people: numbers, durations, and other people's words made safe and fitted to a width. */
import stringWidth from 'string-width';
import type { Instant } from '../lifecycle/state.ts';

/**
 * Control, format and bidirectional characters: they could move a terminal's cursor, colour it or
 * turn the reading direction. The joiners that emoji and some scripts are made with stay.
 */
const UNSAFE = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Other people's text on one line, without characters that act on a terminal. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(UNSAFE, '\uFFFD')
    .trim();
}

/** Columns that a text takes in a terminal. */
export function width(text: string): number {
  return stringWidth(text);
}

/** The text cut to so many columns, with `…` at the end where something is gone. */
export function truncate(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  if (columns <= 0) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += width(segment);
    if (used > columns - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Lines of at most so many columns, broken between words; a word that is longer is cut. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && width(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(truncate(word, columns));
  }
  return lines;
}

/** Cut or filled up with blanks to exactly so many columns. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, columns);
  const blanks = ' '.repeat(Math.max(0, columns - width(cut)));
  return align === 'left' ? `${cut}${blanks}` : `${blanks}${cut}`;
}

/** `1,204,331`. */
export function formatNumber(number: number): string {
  return number.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1 model`, `2 models`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${formatNumber(number)} ${number === 1 ? noun : plural}`;
}

/** `12s`, `1m 02s`, `2h 05m`, `3d 04h`; below ten seconds with one digit, `4.2s`. */
export function formatSeconds(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  if (seconds < 9.95) return `${(Math.max(0, Math.round(seconds * 10)) / 10).toString()}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (whole < 60) return `${whole}s`;
  if (minutes < 60) return `${minutes}m ${two(whole % 60)}s`;
  if (hours < 24) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** `512 B`, `1.5 kB`, `64 MB`: powers of 1,000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 9.95 ? 0 : 1;
  return `${Number(size.toFixed(digits))} ${units[unit] ?? ''}`;
}

/** Seconds between two moments; 0 where the clocks disagree. */
export function secondsBetween(from: Instant, to: Instant): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

/** `a, b and 3 more`. */
export function shortList(items: readonly string[], most: number): string {
  const shown = items.slice(0, most).join(', ');
  return items.length > most ? `${shown} and ${formatNumber(items.length - most)} more` : shown;
}
