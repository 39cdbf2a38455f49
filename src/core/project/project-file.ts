/** `dbt_project.yml`: a new one, or our keys added to one that people wrote. */
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { safeName } from './names.ts';
import type { ProjectVariable } from './parameters.ts';
import type { ProjectFile } from './types.ts';
import { columnOf, insertedAfter, yamlText } from './yaml-text.ts';

export interface ProjectKeys {
  readonly variables: readonly ProjectVariable[];
  readonly onRunStart: readonly string[];
}

/** A name that dbt takes for a project: letters, digits and `_`, no digit first. */
function projectName(name: string): string {
  const safe = safeName(name);
  return /^[0-9]/u.test(safe) ? `p_${safe}` : safe;
}

export function newProjectFile(name: string, keys: ProjectKeys): ProjectFile {
  const project = projectName(name);
  const variables = variableValues(keys.variables);
  const text = yamlText({
    name: project,
    version: '1.0.0',
    'config-version': 2,
    profile: project,
    'require-dbt-version': '>=1.10.5',
    'model-paths': ['models'],
    'macro-paths': ['macros'],
    'test-paths': ['tests'],
    ...(keys.onRunStart.length === 0 ? {} : { 'on-run-start': keys.onRunStart }),
    ...(Object.keys(variables).length === 0 ? {} : { vars: variables }),
  });
  return { path: 'dbt_project.yml', text };
}

/** Variables with a value: SQL expressions that take the place of the procedures' parameters. */
function variableValues(variables: readonly ProjectVariable[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    variables.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
  );
}

/** Adds our keys to a project file. Every byte that is there stays; null where nothing is missing. */
export function addToProjectFile(file: ProjectFile, keys: ProjectKeys): ProjectFile | null {
  let { text } = file;
  const wanted = Object.entries(variableValues(keys.variables));
  const present = parseDocument(text, { version: '1.1' });
  const missing = wanted.filter(([name]) => !present.hasIn(['vars', name]));
  if (missing.length > 0) text = addToMap(text, 'vars', Object.fromEntries(missing));
  for (const call of keys.onRunStart) {
    if (!text.includes(call)) text = addToList(text, 'on-run-start', call);
  }
  return text === file.text ? null : { path: file.path, text };
}

function addToMap(text: string, key: string, values: Readonly<Record<string, string>>): string {
  const document = parseDocument(text, { version: '1.1' });
  const pair = topLevel(document, key);
  const value = pair?.value;
  if (pair === null || value === undefined) return appended(text, yamlText({ [key]: values }));
  if (isMap(value) && value.flow !== true && value.items.length > 0 && value.range) {
    return insertedAfter(text, value.range[1], yamlText(values), columnOf(text, value.range[0]));
  }
  if (isMap(value)) for (const [name, item] of Object.entries(values)) value.set(name, item);
  else document.set(key, document.createNode(values));
  return document.toString({ lineWidth: 0 });
}

function addToList(text: string, key: string, item: string): string {
  const document = parseDocument(text, { version: '1.1' });
  const pair = topLevel(document, key);
  const value = pair?.value;
  if (pair === null || value === undefined) return appended(text, yamlText({ [key]: [item] }));
  if (isSeq(value) && value.flow !== true && value.items.length > 0 && value.range) {
    return insertedAfter(text, value.range[1], yamlText([item]), columnOf(text, value.range[0]));
  }
  const before = isSeq(value) ? value.items : isScalar(value) && value.value ? [value] : [];
  document.set(key, document.createNode([...before, item]));
  return document.toString({ lineWidth: 0 });
}

function topLevel(document: Document.Parsed, key: string): Pair<unknown, Node | null> | null {
  if (!isMap(document.contents)) return null;
  const found = document.contents.items.find(
    (pair) => isScalar(pair.key) && pair.key.value === key,
  );
  return found ?? null;
}

function appended(text: string, addition: string): string {
  return `${text.trimEnd()}\n\n${addition}`;
}
