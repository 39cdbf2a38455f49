/** YAML as dbt reads it. */
import { stringify } from 'yaml';
import { escapeJinja } from './jinja.ts';

/**
 * dbt reads YAML 1.1, where `yes`, `12:30` and the like are not strings unless they are quoted.
 * Lines are never folded: a long description stays one line in a diff.
 */
export function yamlText(value: object): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

/** The same, for files whose strings dbt renders as templates: every string comes out as it is. */
export function templateYaml(value: object): string {
  return yamlText(escaped(value));
}

function escaped(value: object): object {
  if (Array.isArray(value)) return value.map(escapedValue);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escapedValue(item)]));
}

function escapedValue(value: unknown): unknown {
  if (typeof value === 'string') return escapeJinja(value);
  return typeof value === 'object' && value !== null ? escaped(value) : value;
}

/** Puts lines behind the line in which a node ends. */
export function insertedAfter(text: string, end: number, lines: string, indent: number): string {
  const newline = text.indexOf('\n', Math.max(0, end - 1));
  const before = newline === -1 ? `${text}\n` : text.slice(0, newline + 1);
  const after = newline === -1 ? '' : text.slice(newline + 1);
  const indented = lines
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
  return `${before}${indented.join('\n')}\n${after}`;
}

/** Column of an offset in its line, first column 0. */
export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}
