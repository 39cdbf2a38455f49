/** The first rows in which a model and its procedure differ, column by column. */
import { qualified } from '../catalog/names.ts';
import type { RowDifference } from '../proof/types.ts';
import { count, fit, formatNumber, oneLine, truncate, width } from './text.ts';

export interface MismatchOptions {
  /** Most rows that are shown. */
  readonly rows: number;
  /** Columns of the terminal; no line is wider. At least 40 are taken for granted. */
  readonly columns: number;
}

type Values = Readonly<Record<string, string | null>>;

interface Group {
  readonly title: string;
  readonly differences: readonly RowDifference[];
}

const LEAST_COLUMNS = 40;
const MAX_NAME = 30;
const INDENT = '    ';

/** Lines by table and round; `*` marks the columns that differ. */
export function mismatchLines(
  differences: readonly RowDifference[],
  options: MismatchOptions,
): readonly string[] {
  const columns = Math.max(LEAST_COLUMNS, options.columns);
  let left = options.rows;
  return groupsOf(differences).flatMap((group, index) => {
    const shown = group.differences.slice(0, left);
    left -= shown.length;
    const hidden = group.differences.length - shown.length;
    return [
      ...(index === 0 ? [] : ['']),
      truncate(
        `${group.title}: ${count(group.differences.length, 'row')} ${group.differences.length === 1 ? 'differs' : 'differ'}`,
        columns,
      ),
      ...shown.flatMap((difference, at) => differenceLines(difference, at + 1, columns)),
      ...(hidden > 0 ? [`  … and ${formatNumber(hidden)} more`] : []),
    ];
  });
}

function groupsOf(differences: readonly RowDifference[]): readonly Group[] {
  const groups = new Map<string, RowDifference[]>();
  for (const difference of differences) {
    const title = `${oneLine(qualified(difference.table))}, round "${oneLine(difference.round)}"`;
    groups.set(title, [...(groups.get(title) ?? []), difference]);
  }
  return [...groups].map(([title, rows]) => ({ title, differences: rows }));
}

function differenceLines(difference: RowDifference, number: number, columns: number): string[] {
  const { procedure, model } = difference;
  if (procedure !== null && model !== null) {
    return [`  row ${number}`, ...pairLines(procedure, model, columns)];
  }
  const side = procedure === null ? 'model' : 'procedure';
  return [
    `  row ${number}: only the ${side} gives it`,
    ...singleLines(procedure ?? model ?? {}, columns),
  ];
}

function pairLines(procedure: Values, model: Values, columns: number): string[] {
  const names = [...new Set([...Object.keys(procedure), ...Object.keys(model)])];
  const nameColumns = nameWidth(names);
  const room = Math.floor((columns - INDENT.length - nameColumns - 4) / 2);
  const pairs = names.map((name) => window(value(procedure[name]), value(model[name]), room));
  const first = Math.max(width('procedure'), ...pairs.map(([text]) => width(text)));
  const line = (mark: string, name: string, left: string, right: string) =>
    `  ${mark} ${fit(name, nameColumns)}  ${fit(left, Math.min(first, room))}  ${right}`.trimEnd();
  return [
    line(' ', 'column', 'procedure', 'model'),
    ...names.map((name, index) => {
      const mark = value(procedure[name]) === value(model[name]) ? ' ' : '*';
      const [left, right] = pairs[index] ?? ['', ''];
      return line(mark, oneLine(name), left, right);
    }),
  ];
}

function singleLines(values: Values, columns: number): string[] {
  const names = Object.keys(values);
  const nameColumns = nameWidth(names);
  const room = columns - INDENT.length - nameColumns - 2;
  return names.map((name) =>
    `${INDENT}${fit(oneLine(name), nameColumns)}  ${truncate(value(values[name]), room)}`.trimEnd(),
  );
}

function nameWidth(names: readonly string[]): number {
  return Math.min(
    MAX_NAME,
    Math.max(width('column'), ...names.map((name) => width(oneLine(name)))),
  );
}

/**
 * A value as it can be told from its neighbour: NULL for null, quotes where blanks, emptiness or a
 * text NULL would mislead, escapes for what does not show.
 */
function value(of: string | null | undefined): string {
  if (of === undefined) return '(no such column)';
  if (of === null) return 'NULL';
  const shown = of.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (character) => {
    const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return short[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  });
  const misleads = /^(?:|NULL|'.*|\s.*|.*\s)$/su.test(of) || shown !== of;
  return misleads ? `'${shown}'` : shown;
}

/** Two values cut to a width such that the first difference stays in sight. */
function window(left: string, right: string, columns: number): readonly [string, string] {
  if (width(left) <= columns && width(right) <= columns) return [left, right];
  const [a, b] = [[...left], [...right]];
  const same = a.findIndex((character, index) => character !== b[index]);
  const start = Math.max(0, (same < 0 ? a.length : same) - Math.floor(columns / 3));
  const from = (characters: readonly string[]) =>
    truncate(start === 0 ? characters.join('') : `…${characters.slice(start).join('')}`, columns);
  return left === right ? [truncate(left, columns), truncate(right, columns)] : [from(a), from(b)];
}
