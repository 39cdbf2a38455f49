/** The monitor issue: the run's state for the machine, boxes for people, and the progress table. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { byteLength, markdownCode, markdownText } from '../report/markdown.ts';
import { progressMarkdown } from '../report/progress-markdown.ts';
import { count } from '../report/text.ts';
import { fitLine, fitMarkdown } from './fit.ts';
import { BODY, TITLE } from './limits.ts';
import { linkLine } from './run-check.ts';
import type { RunView } from './run-check.ts';

/** What the issue remembers of the latest run; the App itself keeps nothing. */
const markerSchema = z.object({
  plan: z.string().max(63),
  run: z.string().regex(/^[0-9a-f-]{36}$/u),
  sha: z.string().regex(/^[0-9a-f]{40,64}$/u),
  /** Name of the plan's content. */
  blob: z.string().regex(/^[0-9a-f]{40,64}$/u),
  check_run: z.int().positive().nullable(),
  attempt: z.int().min(0),
  /** Workflow runs that were asked for; 0: none yet. */
  leg: z.int().min(0),
  resumed: z.int().min(0),
  pull_request: z.url().nullable(),
  /** When progress was last written; no two writers do so within a few seconds. */
  reported: z.iso.datetime().nullable().default(null),
});
export type MonitorMarker = z.output<typeof markerSchema>;

export interface Box {
  readonly kind: 'retry' | 'skip';
  /** Of a procedure; see `boxId`. */
  readonly id: string;
  readonly checked: boolean;
}

const MARKER = /^<!-- sprocket-monitor (\{[^\n]{1,2000}\}) -->$/mu;
const BOX = /^- \[([ xX])\] .*<!-- sprocket:(retry|skip):([0-9a-f]{16}) -->\s*$/u;
/** More boxes than anybody ticks one by one. */
const MOST_BOXED = 50;

export function monitorTitle(plan: string): string {
  return fitLine(`Sprocket: ${plan}`, TITLE);
}

/** Null where the issue is none of ours. */
export function readMarker(body: string): MonitorMarker | null {
  const json = MARKER.exec(body)?.[1];
  if (json === undefined) return null;
  try {
    return markerSchema.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}

/** The id of a procedure in a box and in a dispatch: no name of anybody's travels through GitHub. */
export function boxId(procedure: string): string {
  return createHash('sha256').update(procedure).digest('hex').slice(0, 16);
}

export function readBoxes(body: string): readonly Box[] {
  return body.split(/\r?\n/u).flatMap((line) => {
    const [, mark, kind, id] = BOX.exec(line) ?? [];
    if (id === undefined || (kind !== 'retry' && kind !== 'skip')) return [];
    return [{ kind, id, checked: mark !== ' ' }];
  });
}

/** Boxes that are ticked now and were not before. */
export function newlyTicked(before: string, after: string): readonly Box[] {
  const key = ({ kind, id }: Box): string => `${kind}:${id}`;
  const was = new Set(
    readBoxes(before)
      .filter(({ checked }) => checked)
      .map(key),
  );
  return readBoxes(after).filter((box) => box.checked && !was.has(key(box)));
}

/** The body before there is any progress to show. */
export function openingBody(marker: MonitorMarker, message: string): string {
  return [markerLine(marker), '', markdownText(message), '', HINT].join('\n');
}

/** The same state under another word, with everything else as it was. */
export function withMarker(body: string, marker: MonitorMarker): string {
  return body.replace(MARKER, () => markerLine(marker));
}

/** The body with one line of Markdown on top, in the place of the last such line. */
export function withNotice(body: string, line: string): string {
  const marker = MARKER.exec(body)?.[0] ?? '';
  const rest = body.replace(marker, '').replace(/^\s*(?:⚠️ [^\n]*\n)?\s*/u, '');
  return fitMarkdown([marker, '', line, '', rest].join('\n'), BODY, '…');
}

/**
 * The whole body. Boxes that are ticked in `current` and still stand stay ticked: whoever ticked
 * them is being waited for.
 */
export function monitorBody(marker: MonitorMarker, view: RunView, current: string): string {
  const ticked = new Set(
    readBoxes(current)
      .filter(({ checked }) => checked)
      .map(({ kind, id }) => `${kind}:${id}`),
  );
  const failed = view.progress.rows.filter(
    ({ kind, status }) => kind === 'procedure' && status === 'Failed',
  );
  const head = [
    markerLine(marker),
    '',
    ...(view.notice === null ? [] : [markdownText(fitLine(view.notice, 1_000)), '']),
    linkLine(view.links, ['check', 'workflow', 'branch', 'pullRequest']),
    '',
    ...boxLines(
      failed.map(({ name }) => name),
      ticked,
    ),
    '',
  ].join('\n');
  const tail = `\n${HINT}`;
  const table = progressMarkdown(view.progress, {
    now: view.now,
    logs: new Map(),
    limit: BODY - byteLength(head) - byteLength(tail) - 1,
    wholeUrl: view.links.branch,
  });
  return `${head}\n${table}${tail}`;
}

const HINT =
  'Comment `/help` for everything that can be said to this run. What stands above is written by Sprocket and replaced with every update.';

function boxLines(failed: readonly string[], ticked: ReadonlySet<string>): string[] {
  if (failed.length === 0) return [];
  const lines = failed.slice(0, MOST_BOXED).flatMap((name) =>
    (['retry', 'skip'] as const).map((kind) => {
      const id = boxId(name);
      const mark = ticked.has(`${kind}:${id}`) ? 'x' : ' ';
      return `- [${mark}] ${kind} ${markdownCode(fitLine(name, 200))} <!-- sprocket:${kind}:${id} -->`;
    }),
  );
  const left = failed.length - MOST_BOXED;
  const more = left > 0 ? ['', `${count(left, 'more failed procedure')}: comment \`/retry\`.`] : [];
  return ['### What failed', '', ...lines, ...more];
}

function markerLine(marker: MonitorMarker): string {
  return `<!-- sprocket-monitor ${JSON.stringify(markerSchema.parse(marker))} -->`;
}
