/** Values for parameters: `p_day => date '2024-01-31', p_full => true`, as in a CALL. */
import type { Argument, PlanProblemCode } from './types.ts';
import { shown } from './shown.ts';

export interface ArgumentProblem {
  readonly code: Extract<PlanProblemCode, 'argument-invalid'>;
  readonly message: string;
}

const UNCLOSED = 'has a quote or parenthesis without its partner. Close it.';
const NOT_ONE =
  'holds a semicolon or a comment. Write one SQL expression, and put texts in quotes.';

export interface ParsedArguments {
  readonly values: readonly Argument[];
  readonly problems: readonly ArgumentProblem[];
}

/** Reads a list of values, each by place or by name (`=>`, `:=` or `=`), separated by commas. */
export function parseArguments(text: string): ParsedArguments {
  if (text.trim() === '') return { values: [], problems: [] };
  const items = splitSql(text);
  if (typeof items === 'string')
    return { values: [], problems: [problem(`${shown(text)} ${items}`)] };
  const values = items.map((item) => readItem(item.trim()));
  return { values, problems: [...valueProblems(values), ...orderProblems(values)] };
}

/** What is wrong with values on their own: also for those that come from the front matter. */
export function valueProblems(values: readonly Argument[]): readonly ArgumentProblem[] {
  return values.flatMap(({ parameter, sql }) => {
    const of = parameter === null ? 'a value' : `the value of ${shown(parameter)}`;
    if (sql === '') {
      const missing = parameter === null ? 'A value' : `The value of ${shown(parameter)}`;
      return [
        problem(`${missing} is missing. Write an SQL expression, as in p_day => current_date.`),
      ];
    }
    if (/^\d{4}-\d{2}-\d{2}$/u.test(sql)) {
      return [problem(`${shown(sql)} as ${of} is a subtraction in SQL. Write date '${sql}'.`)];
    }
    const parts = splitSql(sql);
    return typeof parts === 'string' ? [problem(`${shown(sql)} as ${of} ${parts}`)] : [];
  });
}

function orderProblems(values: readonly Argument[]): readonly ArgumentProblem[] {
  const firstNamed = values.findIndex((value) => value.parameter !== null);
  const late =
    firstNamed < 0 ? [] : values.slice(firstNamed).filter((value) => value.parameter === null);
  const names = values.flatMap((value) => value.parameter ?? []);
  const twice = names.filter((name, index) => names.indexOf(name) < index);
  return [
    ...late.map(({ sql }) =>
      problem(
        `${shown(sql)} stands behind a value with a name. Write the name of its parameter too: name => value.`,
      ),
    ),
    ...twice.map((name) => problem(`${shown(name)} has two values. Delete one of them.`)),
  ];
}

function readItem(item: string): Argument {
  const named =
    /^(?<name>[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+")\s*(?:=>|:=|=)\s*(?<sql>.*)$/su.exec(item);
  const name = named?.groups?.['name'];
  if (name === undefined) return { parameter: null, sql: item };
  const parameter = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
  return { parameter, sql: named?.groups?.['sql'] ?? '' };
}

/** Splits at commas outside quotes, dollar quotes and brackets; says what is wrong where it can't. */
function splitSql(text: string): string[] | string {
  const items: string[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === ',' && depth === 0) {
      items.push(text.slice(start, at));
      start = at + 1;
    } else if ('([{'.includes(character)) {
      depth += 1;
    } else if (')]}'.includes(character)) {
      depth -= 1;
      if (depth < 0) return UNCLOSED;
    } else if (character === ';' || text.startsWith('--', at) || text.startsWith('/*', at)) {
      return NOT_ONE;
    } else {
      const end = endOfQuote(text, at);
      if (end === null) return UNCLOSED;
      at = end - 1;
    }
  }
  return depth === 0 ? [...items, text.slice(start)] : UNCLOSED;
}

/** Offset behind what starts at `at`: a quoted text or one character; null where the quote stays open. */
function endOfQuote(text: string, at: number): number | null {
  const dollar = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(text.slice(at, at + 66))?.[0];
  if (dollar !== undefined) {
    const end = text.indexOf(dollar, at + dollar.length);
    return end < 0 ? null : end + dollar.length;
  }
  const quote = text[at] ?? '';
  if (quote !== "'" && quote !== '"') return at + 1;
  const escapes =
    quote === "'" && /(?:^|[^\p{L}\p{N}_])e$/iu.test(text.slice(Math.max(0, at - 2), at));
  for (let end = at + 1; end < text.length; end += 1) {
    if (escapes && text[end] === '\\') end += 1;
    else if (text[end] === quote) return end + 1;
  }
  return null;
}

function problem(message: string): ArgumentProblem {
  return { code: 'argument-invalid', message };
}
