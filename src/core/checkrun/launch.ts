/** What starts a run: a plan whose content changed, and the ids that make starting it twice harmless. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isSamePlan } from '../plan/same-plan.ts';

/** What `before` and `after` of a push are where there is no commit. */
export function isNoCommit(sha: string): boolean {
  return /^0+$/u.test(sha);
}

/** A file, with the name that git gives its content. */
interface PlanFile {
  readonly blob: string;
  readonly text: string;
}

/**
 * Whether a push changed the plan (null: no such file), in more than the Status that a run's branch
 * brings along. The lists of files in the event are cut and can't be relied on.
 */
export function planChanged(before: PlanFile | null, after: PlanFile | null): boolean {
  if (after === null || before?.blob === after.blob) return false;
  return before === null || !isSamePlan(before.text, after.text);
}

/**
 * The UUID of a run: the same for the same content on the same commit, so that an event that comes
 * twice finds what the first one made. `attempt` counts launches that people asked for on purpose.
 */
export function runId(
  repository: number,
  commit: string,
  planBlob: string,
  attempt: number,
): string {
  const text = ['sprocket-run', repository, commit, planBlob, attempt].join('\n');
  return uuid(createHash('sha256').update(text).digest());
}

/** The UUID of a request: the same for the same comment, button or click, whatever ran meanwhile. */
export function requestId(...parts: readonly (string | number)[]): string {
  const text = ['sprocket-control', ...parts].join('\n');
  return uuid(createHash('sha256').update(text).digest());
}

/** A hash as a UUID of version 8, which RFC 9562 keeps for ids like this. */
function uuid(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/** What the check run's `external_id` says: what it is for. */
export type ExternalId =
  | { readonly kind: 'run'; readonly run: string; readonly attempt: number }
  | { readonly kind: 'plan'; readonly blob: string };

export function formatExternalId(id: ExternalId): string {
  return id.kind === 'run' ? `run:${id.run}:${id.attempt}` : `plan:${id.blob}`;
}

export function parseExternalId(text: string): ExternalId | null {
  const run = /^run:([0-9a-f-]{36}):(\d{1,6})$/u.exec(text);
  if (run !== null) return { kind: 'run', run: run[1] ?? '', attempt: Number(run[2]) };
  const plan = /^plan:([0-9a-f]{40,64})$/u.exec(text);
  return plan === null ? null : { kind: 'plan', blob: plan[1] ?? '' };
}

const uuidSchema = z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
const shaSchema = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/u);
const numberSchema = z.int().positive();

/** `client_payload` of `sprocket-run`: ids only; everything else is read from the repository. */
export const runPayload = z.object({
  run: uuidSchema,
  sha: shaSchema,
  check_run: numberSchema,
  issue: numberSchema.nullable(),
  /** 1 for the first; more for continuations and resumptions of the same run. */
  leg: z.int().min(1).max(100_000),
  /** How often the run went on by itself after it had been interrupted. */
  resumed: z.int().min(0).max(1_000),
});
export type RunPayload = z.output<typeof runPayload>;

/** A login of a person or of an App (`name[bot]`). */
const loginSchema = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?$/u);

/** `client_payload` of `sprocket-control`. */
export const controlPayload = z.object({
  request: uuidSchema,
  run: uuidSchema,
  sha: shaSchema,
  check_run: numberSchema,
  issue: numberSchema.nullable(),
  person: loginSchema,
  /** When it was asked for. */
  at: z.iso.datetime(),
  what: z.discriminatedUnion('kind', [
    /** The command is in the comment, which is read again. */
    z.object({ kind: z.literal('comment'), comment: numberSchema, issue: numberSchema }),
    z.object({ kind: z.literal('button'), identifier: z.string().max(20) }),
    /** Boxes of the monitor issue, by the ids of their procedures. */
    z.object({
      kind: z.literal('boxes'),
      boxes: z
        .array(z.string().regex(/^(?:retry|skip):[0-9a-f]{16}$/u))
        .min(1)
        .max(500),
    }),
  ]),
});
export type ControlPayload = z.output<typeof controlPayload>;

export const RUN_EVENT = 'sprocket-run';
export const CONTROL_EVENT = 'sprocket-control';

/** The `run-name` of a workflow run, by which it is found again: a run's id with its leg, or a request's. */
export function workflowRunName(id: string, leg: number | null): string {
  return leg === null ? `Sprocket ${id}` : `Sprocket ${id} ${leg}`;
}

export function parseWorkflowRunName(
  title: string,
): { readonly id: string; readonly leg: number | null } | null {
  const [, id, leg] = /^Sprocket ([0-9a-f-]{36})(?: (\d{1,6}))?$/u.exec(title) ?? [];
  if (id === undefined) return null;
  return { id, leg: leg === undefined ? null : Number(leg) };
}

/** How often a run goes on by itself after it was interrupted. */
export const MOST_RESUMED = 3;
/** Minutes after which a dispatch that no workflow took up counts as lost. */
export const START_MINUTES = 5;
