/** A check run as Sprocket wants it, before any API sees it. */

export const CONCLUSIONS = [
  'success',
  'failure',
  'neutral',
  'cancelled',
  'timed_out',
  'action_required',
  'skipped',
] as const;
export type Conclusion = (typeof CONCLUSIONS)[number];

export type CheckState =
  | { readonly status: 'queued' | 'in_progress' }
  | { readonly status: 'completed'; readonly conclusion: Conclusion };

export interface Annotation {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly level: 'notice' | 'warning' | 'failure';
  readonly title: string;
  readonly message: string;
}

export interface Button {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
}

/** Everything within the limits of one check run; annotations may need several requests. */
export interface CheckContent {
  readonly state: CheckState;
  readonly title: string;
  readonly summary: string;
  readonly text: string | null;
  readonly annotations: readonly Annotation[];
  readonly buttons: readonly Button[];
  /** Where `Details` leads; null: to the check run itself. */
  readonly detailsUrl: string | null;
}

/** Name of every check run of Sprocket. */
export const CHECK_NAME = 'Sprocket';
