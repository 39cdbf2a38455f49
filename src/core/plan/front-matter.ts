/** The front matter of a plan: found, parsed as YAML, and checked against the settings' schema. */
import { isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Pair, YAMLMap } from 'yaml';
import type { z } from 'zod';
import { nearest } from '../lifecycle/select.ts';
import { lineText } from './document.ts';
import { positionOf } from './lines.ts';
import type { TextLine } from './lines.ts';
import { settingsSchema } from './settings-schema.ts';
import type { RawSettings } from './settings-schema.ts';
import { looksSecret, oneOf, shown } from './shown.ts';
import type { PlanProblem, PlanProblemCode, Position } from './types.ts';
import { WRITTEN_OUT, yamlMessage } from './yaml-problems.ts';

export interface FrontMatter {
  /** Null where there are problems. */
  readonly settings: RawSettings | null;
  readonly problems: readonly PlanProblem[];
  /** Index of the first line behind it. */
  readonly bodyLine: number;
  /** Where a setting stands, by its path; the nearest place above where it is missing. */
  readonly at: (path: readonly PropertyKey[]) => Position;
  /** What the text says at a path, checked or not. */
  readonly raw: (path: readonly string[]) => unknown;
}

/** Reads the front matter. `lines` are those of the whole text, without a byte order mark. */
export function readFrontMatter(text: string, lines: readonly TextLine[]): FrontMatter {
  const isFence = (line: TextLine | undefined): boolean =>
    /^---[ \t]*$/u.test(lineText(text, line));
  const top = { line: 1, column: 1 };
  const end = isFence(lines[0]) ? lines.findIndex((line, index) => index > 0 && isFence(line)) : -1;
  if (end < 0) {
    const message = isFence(lines[0])
      ? 'The settings have no end. Close them with a second line of three dashes (---).'
      : 'A plan starts with its settings. Write --- as the first line, the settings as YAML beneath, and --- again.';
    const problem: PlanProblem = { ...top, code: 'front-matter-missing', message };
    return {
      settings: null,
      problems: [problem],
      bodyLine: 0,
      at: () => top,
      raw: () => undefined,
    };
  }

  const start = lines[1]?.start ?? 0;
  const yaml = text.slice(start, lines[end]?.start);
  const document = parseDocument(yaml, {
    prettyErrors: false,
    stringKeys: true,
    version: '1.2',
  });
  const at = (offset: number | null): Position =>
    offset === null ? top : positionOf(lines, start + offset);
  const place = (path: readonly PropertyKey[]) => at(locate(document, path).offset);
  const raw = (path: readonly string[]): unknown => {
    const node = document.getIn(path);
    return isNode(node) ? undefined : node;
  };
  const result = { bodyLine: end + 1, at: place, raw };

  const syntax = syntaxProblems(document, yaml, at);
  if (syntax.length > 0) return { ...result, settings: null, problems: syntax };

  keepParametersAsWritten(document);
  const parsed = settingsSchema.safeParse(document.toJS());
  if (parsed.success) return { ...result, settings: parsed.data, problems: [] };
  const problems = parsed.error.issues.flatMap((issue) => settingProblems(issue, document, at));
  return { ...result, settings: null, problems };
}

/**
 * One problem a line: what follows a YAML error on its line is mostly a consequence of it. What is
 * missing at the end is missing behind the last word.
 */
function syntaxProblems(
  document: Document,
  yaml: string,
  at: (offset: number) => Position,
): PlanProblem[] {
  const found = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    offset: pos[0],
    message: yamlMessage(code),
  }));
  visit(document, {
    Alias: (_, alias) => {
      found.push({ offset: alias.range?.[0] ?? 0, message: WRITTEN_OUT });
    },
  });
  const last = Math.max(0, yaml.trimEnd().length - 1);
  const byLine = new Map<number, PlanProblem>();
  for (const { offset, message } of found) {
    const position = at(Math.min(offset, last));
    if (byLine.has(position.line)) continue;
    byLine.set(position.line, { ...position, code: 'yaml-syntax', message });
  }
  return [...byLine.values()];
}

function settingProblems(
  issue: z.core.$ZodIssue,
  document: Document,
  at: (offset: number | null) => Position,
): PlanProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(' ');
    return issue.keys.map((key) => ({
      ...at(locate(document, [...issue.path, key]).keyOffset),
      code: 'setting-unknown',
      message: unknownMessage(key, issue.path, known),
    }));
  }
  const path = issue.path.join('.');
  const { offset, found, value } = locate(document, issue.path);
  const setting =
    path === '' ? 'The front matter' : `The setting ${isPlainPath(path) ? path : shown(path)}`;
  const problem = (code: PlanProblemCode, text: string): PlanProblem[] => [
    { ...at(offset), code, message: `${setting} ${text} ${issue.message}` },
  ];
  if (!found || value === null || value === '') return problem('setting-missing', 'is missing.');
  if (issue.path.at(-1) === 'url' && typeof value === 'string' && looksSecret(value)) {
    return problem(
      'url-instead-of-name',
      'holds a URL, which everybody who can read this file would see: if it was ever pushed, change the password.',
    );
  }
  return problem(
    'setting-invalid',
    typeof value === 'string' ? `can not be ${shown(value)}.` : 'does not fit.',
  );
}

function unknownMessage(
  key: string,
  path: readonly PropertyKey[],
  known: readonly string[],
): string {
  const where = path.length === 0 ? '' : ` in ${path.join('.')}`;
  const guess = nearest(
    key,
    known.map((name) => ({ value: name, text: name })),
  );
  const advice = guess === null ? `Write ${oneOf(known)}.` : `Did you mean ${guess}?`;
  return `There is no setting ${shown(key)}${where}. ${advice}`;
}

function isPlainPath(path: string): boolean {
  return /^[A-Za-z0-9_.]+$/u.test(path);
}

interface Location {
  /** Of the value; of the nearest key above it where it is not found. Within the YAML text. */
  readonly offset: number | null;
  readonly keyOffset: number | null;
  readonly found: boolean;
  /** The value where it is a scalar. */
  readonly value: unknown;
}

function locate(document: Document, path: readonly PropertyKey[]): Location {
  let node: unknown = document.contents;
  let keyOffset: number | null = null;
  for (const key of path) {
    const pair: Pair | undefined = isMap(node) ? pairOf(node, key) : undefined;
    const item: unknown = pair === undefined ? childAt(node, key) : pair.value;
    if (pair === undefined && item === undefined) {
      return { offset: keyOffset, keyOffset, found: false, value: undefined };
    }
    keyOffset = offsetOf(pair?.key) ?? offsetOf(item) ?? keyOffset;
    node = item;
  }
  const value = isScalar(node) ? node.value : node === null ? null : undefined;
  return { offset: offsetOf(node) ?? keyOffset, keyOffset, found: true, value };
}

function childAt(node: unknown, key: PropertyKey): unknown {
  return isSeq(node) && typeof key === 'number' ? node.items[key] : undefined;
}

function pairOf(map: YAMLMap, key: PropertyKey): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

/** Values of parameters are SQL: `00123` and `1.10` stay as they are typed, `null` becomes NULL. */
function keepParametersAsWritten(document: Document): void {
  const procedures = document.get('procedures');
  const maps = [document.getIn(['proof', 'parameters'])];
  if (isMap(procedures)) {
    for (const { value } of procedures.items)
      maps.push(isMap(value) ? value.get('parameters') : null);
  }
  for (const map of maps) {
    if (!isMap(map)) continue;
    for (const { value } of map.items) {
      if (!isScalar(value) || typeof value.value === 'string') continue;
      value.value = value.value === null ? 'NULL' : (value.source ?? String(value.value));
    }
  }
}
