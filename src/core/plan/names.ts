/**
 * Database names in a plan: `schema.name` and `schema.name(argument types)`, written as the
 * database stores them. No case is folded; a part that holds more than letters, digits, `_` and
 * `$` stands in double quotes (or backticks), with a doubled quote inside for a quote.
 */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import type { Dialect, PlanProblemCode } from './types.ts';
import { shown } from './shown.ts';
import { canonicalType } from './type-names.ts';

/** Why a text is no name, with what to write instead. */
interface NameProblem {
  readonly code: Extract<PlanProblemCode, 'name-invalid' | 'name-too-long'>;
  readonly message: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: NameProblem };

export interface RoutineName {
  /** Spelled as the catalog's `routineId` spells it. */
  readonly id: string;
  readonly name: QualifiedName;
  readonly argumentTypes: readonly string[];
}

const PLAIN_PART = /^[\p{L}\p{N}_$][\p{L}\p{M}\p{N}_$]*$/u;
const MAX_BYTES = { postgres: 63, mysql: 64 * 4 } as const;

/** Reads `schema.name`. */
export function parseTableName(text: string, dialect: Dialect): Parsed<QualifiedName> {
  const parts = splitOutside(text, '.').map(readPart);
  if (parts.length !== 2 || parts.includes(null)) {
    const unwrapped = unwrap(text);
    if (unwrapped !== null) return parseTableName(unwrapped, dialect);
    return invalid(`${shown(text)} is no name of a table. ${adviceFor(text, 'schema.table')}`);
  }
  const name = { schema: parts[0] ?? '', name: parts[1] ?? '' };
  const tooLong = [name.schema, name.name].find((part) => isTooLong(part, dialect));
  return tooLong === undefined ? { ok: true, value: name } : overlong(tooLong, dialect);
}

/** Reads `schema.name(argument types)`. */
export function parseRoutineName(text: string, dialect: Dialect): Parsed<RoutineName> {
  const open = findOutside(text, '(');
  const bare = open < 0 ? text : text.slice(0, open);
  const unwrapped = open < 0 ? unwrap(text) : null;
  if (unwrapped !== null) return parseRoutineName(unwrapped, dialect);

  const name = parseTableName(bare.trim(), dialect);
  if (!name.ok && name.problem.code === 'name-too-long') return name;
  const types = open < 0 ? null : argumentTypes(text.slice(open), dialect);
  if (!name.ok || types === null) {
    if (name.ok && open < 0) return invalid(withoutTypes(text, name.value));
    const form = 'schema.name(argument types)';
    const advice = name.ok
      ? `Write ${form}, with a type between all commas and one closing parenthesis.`
      : adviceFor(bare, form, '(…)');
    return invalid(`${shown(text)} is no name of a procedure. ${advice}`);
  }
  return {
    ok: true,
    value: {
      id: `${qualified(name.value)}(${types.join(', ')})`,
      name: name.value,
      argumentTypes: types,
    },
  };
}

/** The spelling that `parseTableName` reads back. */
export function formatTableName(name: QualifiedName): string {
  return `${formatIdentifier(name.schema)}.${formatIdentifier(name.name)}`;
}

/** The spelling that `parseRoutineName` reads back. */
export function formatRoutineName(name: QualifiedName, argumentTypes: readonly string[]): string {
  return `${formatTableName(name)}(${argumentTypes.join(', ')})`;
}

export function formatIdentifier(part: string): string {
  return PLAIN_PART.test(part) ? part : `"${part.replaceAll('"', '""')}"`;
}

/** Reads one identifier, quoted or plain; null where it is none. */
export function parseIdentifier(text: string): string | null {
  return readPart(text.trim());
}

/** Splits at commas, semicolons and line breaks that stand outside quotes and parentheses. */
export function splitList(text: string): string[] {
  return [',', ';', '\n']
    .reduce((items, at) => items.flatMap((item) => splitOutside(item, at)), [text])
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Splits at a character that stands outside quotes, parentheses and brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let rest = text;
  for (let at = findOutside(rest, separator); at >= 0; at = findOutside(rest, separator)) {
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...parts, rest];
}

/** Index of the first such character outside quotes and, for others than `(`, parentheses; -1 where there is none. */
function findOutside(text: string, wanted: string): number {
  let depth = 0;
  let quote: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== null) {
      if (character === quote) quote = null;
    } else if (character === wanted && depth === 0) {
      return at;
    } else if (character === '"' || character === '`' || character === "'") {
      quote = character;
    } else if (character === '(' || character === '[') {
      depth += 1;
    } else if (character === ')' || character === ']') {
      depth -= 1;
    }
  }
  return -1;
}

function argumentTypes(text: string, dialect: Dialect): string[] | null {
  const inside = /^\((.*)\)$/su.exec(text.trim())?.[1];
  if (inside === undefined || !isBalanced(inside)) return null;
  if (inside.trim() === '') return [];
  const types = splitOutside(inside, ',').map((type) => canonicalType(type, dialect));
  return types.includes('') ? null : types;
}

function isBalanced(text: string): boolean {
  return findOutside(text, ')') < 0 && (text.match(/"/gu)?.length ?? 0) % 2 === 0;
}

function readPart(text: string): string | null {
  const part = text.trim();
  const quote = part[0] ?? '';
  if (quote !== '"' && quote !== '`') return PLAIN_PART.test(part) ? part : null;
  const inside = part.slice(1, -1);
  if (part.length < 3 || !part.endsWith(quote)) return null;
  if (inside.replaceAll(quote + quote, '').includes(quote)) return null;
  return inside.includes('\0') ? null : inside.replaceAll(quote + quote, quote);
}

/** The content of a text that stands in backticks as a whole: Markdown's code, not a quoted part. */
function unwrap(text: string): string | null {
  const inside = /^`([^`]+)`$/u.exec(text.trim())?.[1];
  return inside === undefined ? null : inside.trim();
}

function isTooLong(part: string, dialect: Dialect): boolean {
  return (
    new TextEncoder().encode(part).length > MAX_BYTES[dialect] ||
    (dialect === 'mysql' && [...part].length > 64)
  );
}

function overlong(part: string, dialect: Dialect): Parsed<never> {
  const limit = dialect === 'postgres' ? '63 bytes' : '64 characters';
  const message = `The name ${shown(part)} is longer than ${limit}, so that no database holds it. Write the name as it is stored.`;
  return { ok: false, problem: { code: 'name-too-long', message } };
}

/** What to write instead; with the spelling itself where only quotes are missing. */
function adviceFor(text: string, form: string, suffix = ''): string {
  const [schema = '', name = '', ...more] = text.split('.').map(unquoted);
  if (schema === '' || name === '' || more.length > 0) return `Write ${form}.`;
  const quoted = `${formatTableName({ schema, name })}${suffix}`;
  return `Write ${form}, with double quotes around a part that holds more than letters, digits, _ and $: ${quoted}`;
}

function withoutTypes(text: string, name: QualifiedName): string {
  const written = formatTableName(name);
  return `${shown(text)} lacks its argument types. Write ${written}(), or the types between the parentheses, as in ${written}(integer, text).`;
}

function unquoted(text: string): string {
  return text.trim().replaceAll(/["`]/gu, '');
}

function invalid(message: string): Parsed<never> {
  return { ok: false, problem: { code: 'name-invalid', message } };
}
