/**
 * SQL text while it is still being worked on: the parts of `types.ts` plus references to versions
 * of relations, and the marks of what could not be translated.
 */
import type { Refusal, SqlPart } from './types.ts';
import type { Version } from './version.ts';

/** A relation as it is at one moment. What name it gets is decided when the model is finished. */
interface VersionPart {
  readonly kind: 'version';
  readonly version: Version;
  /** The name that the text around knows the relation by, where the author gave it no alias. */
  readonly alias: string | null;
}

/** A value that could not be translated. Whatever needs it is refused with this reason. */
interface PoisonPart {
  readonly kind: 'poison';
  readonly refusal: Refusal;
}

export type Part = SqlPart | VersionPart | PoisonPart;
export type Fragment = readonly Part[];

/** Template tag: joins text, parts and fragments. */
export function sql(
  strings: TemplateStringsArray,
  ...values: readonly (string | Part | Fragment)[]
): Fragment {
  const parts: Part[] = [];
  for (const [index, text] of strings.entries()) {
    append(parts, { kind: 'text', text });
    const value = values[index];
    if (value === undefined) continue;
    if (typeof value === 'string') append(parts, { kind: 'text', text: value });
    else if (isFragment(value)) for (const part of value) append(parts, part);
    else append(parts, value);
  }
  return parts;
}

function isFragment(value: Part | Fragment): value is Fragment {
  return Array.isArray(value);
}

function append(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (part.kind === 'text' && part.text === '') return;
  if (part.kind === 'text' && last?.kind === 'text') {
    parts[parts.length - 1] = { kind: 'text', text: last.text + part.text };
  } else {
    parts.push(part);
  }
}

export function text(value: string): Fragment {
  return [{ kind: 'text', text: value }];
}

/** Joins fragments with a separator. */
export function join(fragments: readonly Fragment[], separator: string): Fragment {
  const parts: Part[] = [];
  for (const [index, fragment] of fragments.entries()) {
    if (index > 0) append(parts, { kind: 'text', text: separator });
    for (const part of fragment) append(parts, part);
  }
  return parts;
}

/** A fragment that reads a version in FROM: the name, and the alias that the author's text uses. */
export function from(version: Version, alias: string | null = null): Fragment {
  return [{ kind: 'version', version, alias }];
}

/** The text alone, holes as `…`: for messages and for comparing. */
export function plainText(fragment: Fragment): string {
  return fragment
    .map((part) => {
      if (part.kind === 'text' || part.kind === 'clock') return part.text;
      if (part.kind === 'version') return part.version.label;
      if (part.kind === 'parameter') return part.name;
      return '…';
    })
    .join('');
}

/** Versions that a fragment reads directly. */
export function versionsIn(fragment: Fragment): readonly Version[] {
  return fragment.flatMap((part) => (part.kind === 'version' ? [part.version] : []));
}
