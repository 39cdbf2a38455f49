/**
 * Names for files, models, tests and variables, made of database names.
 *
 * Only `a-z 0-9 _` gets through, so that no name can leave the project's folder, break out of a
 * quoted string or differ from another only by case. What is lost is made up for by a hash.
 */
import { createHash } from 'node:crypto';
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { ProjectError } from './types.ts';

/** PostgreSQL cuts identifiers there; file names that long are safe everywhere too. */
const MAX_NAME_LENGTH = 63;
/** Names that Windows keeps for devices, whatever their extension. */
const RESERVED_FILE_NAME = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/u;
/** Folders of an existing project may have any name that is one name on every system. */
const SAFE_SEGMENT = /^[^\\:*?"<>|\p{Cc}]+$/u;

/** Eight hexadecimal digits that stand for a text. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** A name in lower case letters, digits and `_`; two different lossy names stay different. */
export function safeName(name: string): string {
  const folded = name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const plain = folded.replaceAll(/[^a-z0-9_]+/gu, '_').replaceAll(/^_+|_+$/gu, '');
  const lossless = plain === name.toLowerCase() && !RESERVED_FILE_NAME.test(plain);
  if (lossless && plain.length <= MAX_NAME_LENGTH) return plain;
  return withSuffix(plain === '' ? 'x' : plain, `_${shortHash(name)}`);
}

/** Appends a suffix; cuts the name, not the suffix, where both are too long together. */
export function withSuffix(name: string, suffix: string): string {
  return name.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
}

/** `first__second`, at most 63 characters; a hash takes the place of what has to be cut. */
export function joinNames(first: string, second: string): string {
  const joined = `${first}__${second}`;
  if (joined.length <= MAX_NAME_LENGTH) return joined;
  return withSuffix(joined, `_${shortHash(joined)}`);
}

/** Takes the first candidate that is free, and keeps it. The last one gets a number if it must. */
export class NameRegistry {
  readonly #taken: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set([...taken].map((name) => name.toLowerCase()));
  }

  claim(candidates: readonly [string, ...string[]]): string {
    const free = candidates.find((candidate) => !this.#taken.has(candidate.toLowerCase()));
    const name = free ?? this.#numbered(candidates.at(-1) ?? candidates[0]);
    this.#taken.add(name.toLowerCase());
    return name;
  }

  #numbered(name: string): string {
    for (let number = 2; ; number++) {
      const candidate = withSuffix(name, `_${number}`);
      if (!this.#taken.has(candidate.toLowerCase())) return candidate;
    }
  }
}

/**
 * Model names of tables: the table's name, with its schema in front where another table or view of
 * the catalog has the same. Depends on the catalog only, so that a name stays as models are added.
 */
export function modelNamer(
  known: readonly QualifiedName[],
): (table: QualifiedName) => [string, ...string[]] {
  const tablesByName = new Map<string, Set<string>>();
  for (const table of known) {
    const name = safeName(table.name);
    const tables = tablesByName.get(name) ?? new Set();
    tablesByName.set(name, tables.add(qualified(table)));
  }
  return (table) => {
    const name = safeName(table.name);
    const long = joinNames(safeName(table.schema), name);
    const longest = withSuffix(long, `_${shortHash(qualified(table))}`);
    const others = tablesByName.get(name) ?? new Set();
    const shared = others.size > (others.has(qualified(table)) ? 1 : 0);
    return shared ? [long, longest] : [name, long, longest];
  };
}

/** The name of a routine without schema and arguments, as a part of other names. */
export function routineName(routine: string): string {
  const open = routine.indexOf('(');
  const path = open === -1 ? routine : routine.slice(0, open);
  return safeName(path.slice(path.indexOf('.') + 1));
}

/** Joins path segments; refuses whatever could point outside the project. */
export function safePath(...segments: readonly string[]): string {
  const path = segments.filter((segment) => segment !== '').join('/');
  const unsafe = path
    .split('/')
    .some((segment) => !SAFE_SEGMENT.test(segment) || /^\.+$/u.test(segment));
  if (unsafe) {
    throw new ProjectError('unsafe-path', `not a path inside a project: ${JSON.stringify(path)}`);
  }
  return path;
}

/** Name of a file without its folders and its extension. */
export function baseName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.slice(0, name.lastIndexOf('.'));
}
